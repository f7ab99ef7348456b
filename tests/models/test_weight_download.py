"""Fetching weights, from a hub that runs on this machine."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = bytes(range(256)) * 4096 * 20
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FETCH = """
import sys
from mirpipe.models import weight_download
from mirpipe.errors import MirpipeError
from mirpipe.specs import WeightFile
commit, sha256 = sys.argv[1:]
file = WeightFile("somebody/model", commit, "model.bin", 1, sha256 or None)
try:
    print(weight_download.fetch(file, progress=lambda *parts: print(*parts, file=sys.stderr)))
except MirpipeError as error:
    sys.exit(f"refused: {error}")
"""


class Hub(ThreadingHTTPServer):
    """Serves one file as the hub does; breaks off the first answer where `breaks_at` says so."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content = CONTENT
        self.breaks_at: int | None = None
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.headers["Range"]))
        if self.path != f"/somebody/model/resolve/{COMMIT}/model.bin":
            self.send_error(404)
            return
        size = len(self.server.content)
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start < size else 416)
        self.send_header("Content-Length", str(size - start))
        of = f"{start}-{size - 1}" if start < size else "*"
        self.send_header("Content-Range", f"bytes {of}/{size}")
        self.end_headers()
        end, self.server.breaks_at = self.server.breaks_at, None
        self.wfile.write(self.server.content[start:end])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def fetch(models: Path, url: str, *, sha256: str = "", **more: str) -> tuple[int, str, str]:
    environment = os.environ | {
        "HF_ENDPOINT": url,
        "HF_HOME": str(models.parent / "cache"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "MIRPIPE_HOME": str(models.parent / "home"),
        "MIRPIPE_MODELS_DIR": str(models),
        **more,
    }
    command = [sys.executable, "-c", FETCH, COMMIT, sha256]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def test_weights_come_from_the_named_mirror_with_progress_and_only_once(
    hub: Hub, models: Path
) -> None:
    code, path, progress = fetch(models, hub.url, sha256=SHA256)
    assert (code, path) == (0, str(models / "somebody/model/model.bin")), progress
    assert Path(path).read_bytes() == CONTENT
    assert progress.splitlines()[-1] == "20 20"
    asked = list(hub.asked)
    assert fetch(models, hub.url, sha256=SHA256)[0] == 0
    assert hub.asked == asked


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(hub: Hub, models: Path) -> None:
    hub.breaks_at = len(CONTENT) // 2
    assert fetch(models, hub.url, sha256=SHA256)[0] == 0
    assert (models / "somebody/model/model.bin").read_bytes() == CONTENT
    assert hub.asked == [("GET", "bytes=0-"), ("GET", f"bytes={len(CONTENT) // 2}-")]


@pytest.mark.parametrize("here", [1_000_000, len(CONTENT)])
def test_a_download_that_was_killed_goes_on_where_it_was(hub: Hub, models: Path, here: int) -> None:
    part = models / "somebody/model/model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:here])
    assert fetch(models, hub.url, sha256=SHA256)[0] == 0
    assert (models / "somebody/model/model.bin").read_bytes() == CONTENT
    assert hub.asked == [("GET", f"bytes={here}-")]
    assert not part.exists()


def test_other_bytes_than_the_published_ones_are_refused_and_not_kept(
    hub: Hub, models: Path
) -> None:
    hub.content = CONTENT[::-1]
    code, _, said = fetch(models, hub.url, sha256=SHA256)
    assert code == 1
    assert "refused" in said
    assert SHA256 in said
    assert not (models / "somebody/model/model.bin").exists()


def test_without_a_published_hash_a_later_fetch_is_held_to_the_first(
    hub: Hub, models: Path
) -> None:
    assert fetch(models, hub.url)[0] == 0
    (models / "somebody/model/model.bin").unlink()
    hub.content = CONTENT[::-1]
    code, _, said = fetch(models, hub.url)
    assert code == 1
    assert SHA256 in said


@pytest.mark.parametrize("offline", ["1", "0"])
def test_without_a_network_the_remedies_are_named(models: Path, offline: str) -> None:
    code, _, said = fetch(models, "http://127.0.0.1:9", HF_HUB_OFFLINE=offline)
    assert code == 1
    assert "HF_ENDPOINT" in said
    assert str(models / "somebody/model/model.bin") in said

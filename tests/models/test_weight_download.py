"""Tests for downloading weights from a fake hub on this machine."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mirpipe.models.weight_verification import RECORD

pytestmark = pytest.mark.slow

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = bytes(range(256)) * 4096 * 20
PATHS = [f"/somebody/model/resolve/{revision}/model.bin" for revision in (COMMIT, "main")]
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FETCH = """
import sys
from mirpipe.models import weight_download
from mirpipe.errors import MirpipeError
from mirpipe.specs import WeightFile
commit, sha256, trust = sys.argv[1:]
file = WeightFile("somebody/model", commit, "model.bin", 1, sha256 or None)
progress = lambda *parts: print(*parts, file=sys.stderr)
try:
    print(weight_download.fetch(
        file, plugin="model", trust_first_copy=trust == "trust", progress=progress
    ))
except MirpipeError as error:
    sys.exit(f"refused: {error}")
"""


class Hub(ThreadingHTTPServer):
    """A fake hub that serves one file, and can interrupt a response."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.breaks_at: int | None = None
        """Position in the file at which the next response is interrupted, if any."""
        self.stated_sha256: str | None = None
        """SHA-256 that the responses state, if any."""
        self.requests: list[tuple[str, str | None]] = []
        """Method and Range header of each request."""
        self.paths: list[str] = []
        """Path of each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Responds to a request for a part of the file."""

    server: Hub

    def do_GET(self) -> None:
        self.server.requests.append((self.command, self.headers["Range"]))
        if self.path not in PATHS:
            self.send_error(404)
            return
        self.server.paths.append(self.path)
        size = len(self.server.content)
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start < size else 416)
        self.send_header("X-Repo-Commit", COMMIT)
        if self.server.stated_sha256:
            self.send_header("X-Linked-ETag", f'"{self.server.stated_sha256}"')
        self.send_header("Content-Length", str(size - start))
        content_range = f"{start}-{size - 1}" if start < size else "*"
        self.send_header("Content-Range", f"bytes {content_range}/{size}")
        self.end_headers()
        end, self.server.breaks_at = self.server.breaks_at, None
        self.wfile.write(self.server.content[start:end])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Yield a running fake hub."""
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Return this test's weights folder."""
    return tmp_path / "models"


def fetch(
    models: Path,
    url: str,
    *,
    commit: str = COMMIT,
    sha256: str = "",
    trust: bool = False,
    **variables: str,
) -> tuple[int, str, str]:
    """Fetch the file in a new process, and return its exit status, output and errors."""
    environment = os.environ | {
        "HF_ENDPOINT": url,
        "HF_HOME": str(models.parent / "cache"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "MIRPIPE_HOME": str(models.parent / "home"),
        "MIRPIPE_MODELS_DIR": str(models),
        **variables,
    }
    command = [sys.executable, "-c", FETCH, commit, sha256, "trust" if trust else ""]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return process.returncode, process.stdout.strip(), process.stderr


def test_weights_are_downloaded_once_from_the_mirror_and_report_progress(
    hub: Hub, models: Path
) -> None:
    code, path, progress = fetch(models, hub.url, sha256=SHA256)
    assert (code, path) == (0, str(models / "somebody/model/model.bin")), progress
    assert Path(path).read_bytes() == CONTENT
    assert progress.splitlines()[-1] == "20 20"
    requests = list(hub.requests)
    assert fetch(models, hub.url, sha256=SHA256)[0] == 0
    assert hub.requests == requests


def test_a_download_resumes_after_a_broken_connection(hub: Hub, models: Path) -> None:
    hub.breaks_at = len(CONTENT) // 2
    assert fetch(models, hub.url, sha256=SHA256)[0] == 0
    assert (models / "somebody/model/model.bin").read_bytes() == CONTENT
    assert hub.requests == [("GET", "bytes=0-"), ("GET", f"bytes={len(CONTENT) // 2}-")]


@pytest.mark.parametrize("downloaded", [1_000_000, len(CONTENT)])
def test_a_killed_download_resumes_in_the_next_process(
    hub: Hub, models: Path, downloaded: int
) -> None:
    part = models / "somebody/model/model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:downloaded])
    assert fetch(models, hub.url, sha256=SHA256)[0] == 0
    assert (models / "somebody/model/model.bin").read_bytes() == CONTENT
    assert hub.requests == [("GET", f"bytes={downloaded}-")]
    assert not part.exists()


def test_a_file_with_another_sha256_than_published_is_refused_and_deleted(
    hub: Hub, models: Path
) -> None:
    hub.content = CONTENT[::-1]
    code, _, message = fetch(models, hub.url, sha256=SHA256)
    assert code == 1
    assert "refused" in message
    assert SHA256 in message
    assert not (models / "somebody/model/model.bin").exists()


def test_without_a_published_sha256_nothing_is_downloaded_until_the_user_confirms(
    hub: Hub, models: Path
) -> None:
    code, _, message = fetch(models, hub.url)
    assert (code, hub.requests) == (1, [])
    assert "--trust-first-copy" in message
    assert not (models / "somebody/model").exists()


def test_a_confirmed_first_copy_is_recorded_and_later_copies_must_equal_it(
    hub: Hub, models: Path
) -> None:
    assert fetch(models, hub.url, commit="main", trust=True)[0] == 0
    (copy,) = json.loads((models / RECORD).read_text()).values()
    assert copy == {
        "sha256": SHA256,
        "trusted_on": datetime.now(UTC).date().isoformat(),
        "commit": COMMIT,
    }
    (models / "somebody/model/model.bin").unlink()
    hub.content = CONTENT[::-1]
    code, _, message = fetch(models, hub.url, commit="main", trust=True)
    assert code == 1
    assert SHA256 in message
    assert f"trusted on first use on {copy['trusted_on']}" in message
    assert hub.paths == [PATHS[1], PATHS[0]], "the second download is from the recorded commit"
    hub.content = CONTENT
    assert fetch(models, hub.url, commit="main")[0] == 0


def test_a_first_copy_without_the_sha256_that_the_hub_states_is_not_trusted(
    hub: Hub, models: Path
) -> None:
    hub.stated_sha256 = hashlib.sha256(b"the new file").hexdigest()
    code, _, message = fetch(models, hub.url, trust=True)
    assert code == 1
    assert "damaged" in message
    assert not (models / RECORD).exists()
    hub.stated_sha256 = SHA256
    assert fetch(models, hub.url, trust=True)[0] == 0
    assert hub.requests[-1] == ("GET", "bytes=0-")


@pytest.mark.parametrize("offline", ["1", "0"])
def test_without_a_network_the_message_names_the_remedies(models: Path, offline: str) -> None:
    code, _, message = fetch(models, "http://127.0.0.1:9", sha256=SHA256, HF_HUB_OFFLINE=offline)
    assert code == 1
    assert "HF_ENDPOINT" in message
    assert str(models / "somebody/model/model.bin") in message

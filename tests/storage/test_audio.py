"""The audio of objects is sent in ranges, and pictures of them are drawn from copies."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from mirpipe.db.queries import FileLocation
from mirpipe.files.addresses import Address, S3Address
from mirpipe.generation.clip_store import store_clip
from mirpipe.served_audio.links import audio_link, issue_ticket
from mirpipe.settings import settings
from mirpipe.storage.objects import current_version
from tests.stages.ingest.tables import query
from tests.storage.test_ingest import ingest_bucket
from tests.support import encoded_audio
from tests.support.audio_files import ingest_folder
from tests.support.audio_server import running_audio_server
from tests.support.databases import Database
from tests.support.s3_server import Bucket, Fault


@pytest.fixture
def client(fresh_database: Database) -> Iterator[httpx.Client]:
    with running_audio_server() as running:
        yield running


@pytest.fixture
def link(fresh_database: Database, bucket: Bucket) -> str:
    """Put a track into the bucket, ingest it, and return the link to its audio."""
    music = encoded_audio.music(seed=1, seconds=20)
    bucket.put("library/a.flac", encoded_audio.encode("FLAC", music))
    ingest_bucket(f"{bucket.url}/library")
    bucket.proxy.requests.clear()
    return link_of(fresh_database)


def link_of(database: Database) -> str:
    ((content,),) = query(
        database, "SELECT encode(content_sha256, 'hex') FROM mirpipe.track LIMIT 1"
    )
    return audio_link(content, issue_ticket())


def test_a_range_of_an_object_is_one_request_for_this_range(
    bucket: Bucket, client: httpx.Client, link: str
) -> None:
    content = bucket.read("library/a.flac")
    answer = client.get(link, headers={"Range": "bytes=1000-1999"})
    assert (answer.status_code, answer.content) == (206, content[1000:2000])
    assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(content)}"
    assert [each.byte_range for each in bucket.proxy.requests] == ["bytes=1000-1999"]
    assert client.get(link).content == content


def test_the_headers_of_an_object_need_no_request(
    bucket: Bucket, client: httpx.Client, link: str
) -> None:
    answer = client.head(link)
    assert int(answer.headers["Content-Length"]) == len(bucket.read("library/a.flac"))
    assert answer.headers["ETag"] == current_version(S3Address(bucket.name, "library/a.flac")).etag


def test_an_object_that_cannot_be_read_says_why(
    bucket: Bucket, client: httpx.Client, link: str
) -> None:
    bucket.put("library/a.flac", b"other")
    answer = client.get(link)
    assert (answer.status_code, "was replaced" in answer.text) == (404, True)
    bucket.delete("library/a.flac")
    answer = client.get(link)
    assert (answer.status_code, "There is no such object" in answer.text) == (404, True)
    bucket.proxy.spoil = lambda _request: Fault(400, "ExpiredToken")
    answer = client.get(link)
    assert (answer.status_code, "credentials" in answer.text) == (503, True)
    assert answer.headers["Retry-After"] == "10"


def test_a_local_copy_is_sent_while_the_bucket_does_not_answer(
    bucket: Bucket, client: httpx.Client, link: str, tmp_path: Path
) -> None:
    copy = tmp_path / "library/a.flac"
    copy.parent.mkdir()
    copy.write_bytes(bucket.read("library/a.flac"))
    ingest_folder(copy.parent, "target")
    bucket.proxy.spoil = lambda _request: Fault(400, "ExpiredToken")
    assert client.get(link).content == copy.read_bytes()


def test_a_clip_in_a_bucket_is_sent(
    bucket: Bucket, client: httpx.Client, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", f"{bucket.url}/clips")
    settings.cache_clear()
    samples = encoded_audio.music(seed=1)[:, 0]
    clip = store_clip(samples, encoded_audio.RATE)
    with fresh_database.app.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, "
            "state) VALUES ('generated', %(content)s, 'clip', 1, -20, 'ok')",
            {"content": clip.content_sha256},
        )
        connection.exec_driver_sql(
            "INSERT INTO mirpipe.track_file (collection, path, path_text, track_id, bytes, "
            "mtime_ns, format) SELECT 'generated', %(path)s, %(shown)s, track_id, %(bytes)s, 1, "
            "'FLAC' FROM mirpipe.track",
            {"path": str(clip.path).encode(), "shown": str(clip.path), "bytes": clip.size},
        )
    (key,) = bucket.list_keys()
    answer = client.get(link_of(fresh_database), headers={"Range": "bytes=-100"})
    assert (answer.status_code, answer.content) == (206, bucket.read(key)[-100:])


def location_of(path: Address, *, etag: str | None, size: int = 1000) -> FileLocation:
    return FileLocation(
        track_id=1,
        content_sha256="0" * 64,
        path=path,
        shown=str(path),
        size=size,
        etag=etag,
        format="FLAC",
        seconds=1.0,
        sample_rate=44100,
        channels=2,
        rms_dbfs=-20.0,
        silent_share=0.0,
        has_guessed_tags=False,
    )


def text_of(app: AppTest) -> str:
    return "".join(each.value for each in [*app.markdown, *app.get("html")]) + str(app.main)


@pytest.fixture
def track(bucket: Bucket) -> FileLocation:
    bucket.put("library/a.flac", encoded_audio.encode("FLAC", encoded_audio.music(seed=1)))
    address = S3Address(bucket.name, "library/a.flac")
    return location_of(address, etag=current_version(address).etag)


def draw_spectrogram(location: object) -> None:
    from dashboard.components import track_spectrogram

    track_spectrogram.draw_spectrogram(location, name="track")  # type: ignore[arg-type]


def test_a_spectrogram_in_the_cache_needs_no_request(bucket: Bucket, track: FileLocation) -> None:
    requests = []
    for _ in range(2):
        app = AppTest.from_function(draw_spectrogram, args=(track,)).run()
        assert "<img alt='Spectrogram of track" in text_of(app)
        requests.append(len(bucket.proxy.requests))
        shutil.rmtree(settings().object_cache, ignore_errors=True)
    assert requests[0] == requests[1]
    bucket.put("library/a.flac", encoded_audio.encode("FLAC", encoded_audio.music(seed=2)))
    changed = location_of(track.path, etag=current_version(track.path).etag)  # type: ignore[arg-type]
    AppTest.from_function(draw_spectrogram, args=(changed,)).run()
    assert bucket.proxy.count(lambda request: request.is_read) == 2


def test_no_spectrogram_is_drawn_of_a_large_object(bucket: Bucket, track: FileLocation) -> None:
    large = location_of(track.path, etag=track.etag, size=33 * 2**20)
    app = AppTest.from_function(draw_spectrogram, args=(large,)).run()
    assert "No spectrogram: objects over 32 MB are not downloaded" in text_of(app)
    assert bucket.proxy.count(lambda request: request.is_read) == 0


def draw_player(location: object) -> None:
    from dashboard.components.player import player

    player([location], name="track")  # type: ignore[list-item]


def test_a_page_with_a_player_reads_no_object(bucket: Bucket, track: FileLocation) -> None:
    bucket.proxy.requests.clear()
    app = AppTest.from_function(draw_player, args=(track,)).run()
    assert f"data-content='{track.content_sha256}'" in text_of(app)
    assert not bucket.proxy.requests


def test_a_missing_local_file_is_named(tmp_path: Path) -> None:
    missing = location_of(tmp_path / "none.flac", etag=None)
    app = AppTest.from_function(draw_player, args=(missing,)).run()
    assert "The audio file is missing" in text_of(app)

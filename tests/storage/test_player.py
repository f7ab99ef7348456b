"""The dashboard plays tracks in buckets from a copy, and says why it cannot."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mirpipe.db.queries import FileLocation
from mirpipe.files.addresses import Address, S3Address
from mirpipe.settings import settings
from mirpipe.storage.objects import current_version
from tests.support import encoded_audio
from tests.support.s3_server import Bucket, Fault


def draw(location: object) -> None:
    from dashboard.components.player import player

    player([location], name="track", key="key")  # type: ignore[list-item]


def location_of(path: Address, *, etag: str | None, size: int = 1000) -> FileLocation:
    return FileLocation(
        track_id=1,
        path=path,
        shown=str(path),
        size=size,
        etag=etag,
        format="FLAC",
        rms_dbfs=-20.0,
        silent_share=0.0,
        has_guessed_tags=False,
    )


def shown(location: FileLocation) -> AppTest:
    app = AppTest.from_function(draw, args=(location,)).run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    return "".join(each.value for each in [*app.markdown, *app.get("html")]) + str(app.main)


@pytest.fixture
def track(bucket: Bucket) -> FileLocation:
    bucket.put("library/a.flac", encoded_audio.encode("FLAC", encoded_audio.music(seed=1)))
    address = S3Address(bucket.name, "library/a.flac")
    return location_of(address, etag=current_version(address).etag)


def test_an_object_is_downloaded_once_and_played(bucket: Bucket, track: FileLocation) -> None:
    for _ in range(2):
        assert len(shown(track).get("audio")) == 1
    assert bucket.proxy.count(lambda request: request.is_read) == 1


def test_a_large_object_is_downloaded_only_after_a_click(
    bucket: Bucket, track: FileLocation
) -> None:
    large = location_of(track.path, etag=track.etag, size=100 * 2**20)
    app = shown(large)
    assert app.get("audio") == []
    assert bucket.proxy.count(lambda request: request.is_read) == 0
    app.checkbox(key="key").check().run()
    assert len(app.get("audio")) == 1


def test_an_object_that_cannot_be_played_says_why(bucket: Bucket, track: FileLocation) -> None:
    bucket.proxy.spoil = lambda _request: Fault(400, "ExpiredToken")
    app = shown(track)
    assert app.get("audio") == []
    assert "credentials" in text_of(app)


def test_a_deleted_or_replaced_object_says_so(bucket: Bucket, track: FileLocation) -> None:
    bucket.put("library/a.flac", b"other")
    assert "was replaced" in text_of(shown(track))
    bucket.delete("library/a.flac")
    assert "The object does not exist" in text_of(shown(track))


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


def test_a_missing_local_file_is_named(tmp_path: Path) -> None:
    app = shown(location_of(tmp_path / "none.flac", etag=None))
    assert "The audio file is missing" in text_of(app)

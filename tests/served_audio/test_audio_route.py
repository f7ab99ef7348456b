"""Audio over HTTP from a real server: ranges, links, decoding, errors and memory."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import soundfile

from mirpipe.db import queries
from mirpipe.served_audio.links import audio_link, issue_ticket, linked_content, withdraw_ticket
from tests.stages.ingest.tables import query
from tests.support import encoded_audio
from tests.support.audio_files import ingest_folder, tone
from tests.support.audio_server import running_audio_server
from tests.support.databases import Database
from tests.support.waiting import eventually


@pytest.fixture
def client(fresh_database: Database) -> Iterator[httpx.Client]:
    with running_audio_server() as running:
        yield running


def ingested(database: Database, path: Path) -> str:
    """Ingest the folder of a file, and return the link to its audio."""
    ingest_folder(path.parent, "reference")
    ((content,),) = query(
        database,
        "SELECT encode(content_sha256, 'hex') FROM mirpipe.track JOIN mirpipe.track_file f "
        f"USING (track_id) WHERE f.path_text = '{path}'",
    )
    return audio_link(content, issue_ticket())


@pytest.fixture
def wav(fresh_database: Database, tmp_path: Path) -> tuple[str, bytes]:
    """Return the link to a track, and the content of its file."""
    path = tone(tmp_path / "library/a.wav", 440)
    return ingested(fresh_database, path), path.read_bytes()


def get(client: httpx.Client, link: str, span: str = "", **headers: str) -> httpx.Response:
    return client.get(link, headers={**({"Range": span} if span else {}), **headers})


def test_a_file_is_sent_complete_without_a_range(
    client: httpx.Client, wav: tuple[str, bytes]
) -> None:
    link, content = wav
    answer = get(client, link)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("span", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=-10", -10, None),
        ("bytes=-999999", 0, None),
    ],
)
def test_a_range_is_sent_as_partial_content(
    client: httpx.Client, wav: tuple[str, bytes], span: str, start: int, stop: int | None
) -> None:
    link, content = wav
    answer = get(client, link, span)
    assert (answer.status_code, answer.content) == (206, content[start:stop])
    first = start % len(content)
    last = (stop or len(content)) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"


def test_a_range_may_end_after_the_file(client: httpx.Client, wav: tuple[str, bytes]) -> None:
    link, content = wav
    answer = get(client, link, f"bytes=1000-{10 * len(content)}")
    assert (answer.status_code, answer.content) == (206, content[1000:])


def test_a_range_outside_the_file_is_refused(client: httpx.Client, wav: tuple[str, bytes]) -> None:
    link, content = wav
    answer = get(client, link, f"bytes={len(content)}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"


@pytest.mark.parametrize("span", ["bytes=0-1,5-6", "seconds=0-1", "bytes=9-1", "nonsense"])
def test_several_ranges_and_unknown_units_return_the_complete_file(
    client: httpx.Client, wav: tuple[str, bytes], span: str
) -> None:
    link, content = wav
    answer = get(client, link, span)
    assert (answer.status_code, answer.content) == (200, content)


def test_head_returns_the_headers_alone(client: httpx.Client, wav: tuple[str, bytes]) -> None:
    link, content = wav
    answer = client.head(link)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(content)
    assert answer.headers["ETag"] == get(client, link).headers["ETag"]


def test_the_browser_asks_before_it_uses_a_stored_answer(
    client: httpx.Client, wav: tuple[str, bytes]
) -> None:
    answer = get(client, wav[0])
    assert answer.headers["Cache-Control"] == "private, no-cache"
    etag = answer.headers["ETag"]
    for condition in (etag, f'"other", W/{etag}', "*"):
        for span in ("", "bytes=0-9", "bytes=99999999-"):
            unchanged = get(client, wav[0], span, **{"If-None-Match": condition})
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["ETag"] == etag
            assert unchanged.headers["Cache-Control"] == "private, no-cache"
            assert "Content-Length" not in unchanged.headers
    changed = get(client, wav[0], "bytes=0-9", **{"If-None-Match": '"other"'})
    assert (changed.status_code, len(changed.content)) == (206, 10)


def test_a_stored_answer_is_refused_after_the_ticket_is_withdrawn(
    client: httpx.Client, wav: tuple[str, bytes]
) -> None:
    ticket = issue_ticket()
    content = wav[0].rpartition("/")[2].partition(".")[0]
    link = audio_link(content, ticket)
    etag = get(client, link).headers["ETag"]
    withdraw_ticket(ticket)
    assert get(client, link, **{"If-None-Match": etag}).status_code == 403


def test_a_range_of_another_version_returns_the_complete_file(
    client: httpx.Client, wav: tuple[str, bytes], tmp_path: Path
) -> None:
    link, content = wav
    etag = get(client, link).headers["ETag"]
    assert get(client, link, "bytes=0-9", **{"If-Range": etag}).status_code == 206
    path = tmp_path / "library/a.wav"
    path.write_bytes(content + b"\0\0")
    answer = get(client, link, "bytes=0-9", **{"If-Range": etag})
    assert (answer.status_code, len(answer.content)) == (200, len(content) + 2)
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert get(client, link, "bytes=0-9", **{"If-Range": date}).status_code == 200


def test_only_a_link_with_a_ticket_reads_audio(
    client: httpx.Client, wav: tuple[str, bytes]
) -> None:
    link, _ = wav
    content, _, token = link.removeprefix("/audio/").partition(".")
    for refused in (
        content,
        f"{content}.",
        f"{content}.{token[:-1]}",
        f"{content}.{token}.x",
        f"zz.{token}",
    ):
        assert get(client, f"/audio/{refused}").status_code == 403
    assert get(client, f"/audio/{'0' * 64}.{token}").status_code == 404


def test_a_link_ends_with_its_ticket(client: httpx.Client, wav: tuple[str, bytes]) -> None:
    link, audio = wav
    found = linked_content(link.removeprefix("/audio/"))
    assert found is not None
    content, ticket = found
    other = issue_ticket()
    withdraw_ticket(ticket)
    refused = get(client, link)
    assert (refused.status_code, refused.text) == (
        403,
        "The link is not valid any more. Load the page again.",
    )
    assert get(client, audio_link(content, other)).content == audio


def test_an_upload_is_sent_in_ranges_to_its_own_session_alone(
    client: httpx.Client, fresh_database: Database, tmp_path: Path
) -> None:
    path = tone(tmp_path / "query.wav", 440)
    location = queries.FileLocation(
        0, "", path, "query.wav", path.stat().st_size, None, "WAV", 1.0, 22050, 1, -9.0, 0.0, False
    )
    ticket, other = issue_ticket(), issue_ticket()
    ticket.uploads["ab"] = location
    answer = get(client, audio_link("ab", ticket), "bytes=4-9")
    assert (answer.status_code, answer.content) == (206, path.read_bytes()[4:10])
    assert get(client, audio_link("ab", other)).status_code == 404
    path.unlink()
    gone = get(client, audio_link("ab", ticket))
    assert gone.status_code == 404
    assert gone.text == "The uploaded file has been deleted. Upload it again."


def test_a_container_that_browsers_cannot_play_is_decoded(
    client: httpx.Client, fresh_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "library/a.aiff"
    path.parent.mkdir()
    music = encoded_audio.music(seed=1)
    path.write_bytes(encoded_audio.encode("AIFF", music, subtype="PCM_24"))
    link = ingested(fresh_database, path)
    answer = get(client, link)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32", always_2d=True)
    assert rate == encoded_audio.RATE
    np.testing.assert_allclose(samples, np.clip(music, -1, 1), atol=1e-4)
    for start, stop in ((0, 10), (20, 60), (44, 48), (50_001, 70_000)):
        part = get(client, link, f"bytes={start}-{stop - 1}")
        assert (part.status_code, part.content) == (206, answer.content[start:stop])


@pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="ffmpeg is missing")
def test_a_browser_that_cannot_decode_a_codec_gets_samples_on_request(
    client: httpx.Client, fresh_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "library/a.m4a"
    path.parent.mkdir()
    encoded_audio.encode_with_ffmpeg(path, "-c:a", "alac")
    link = ingested(fresh_database, path)
    assert get(client, link).headers["Content-Type"] == "audio/mp4"
    answer = get(client, f"{link}?as=wav")
    assert answer.headers["Content-Type"] == "audio/wav"
    samples, _ = soundfile.read(io.BytesIO(answer.content), dtype="float32", always_2d=True)
    np.testing.assert_allclose(samples, encoded_audio.music(), atol=1e-4)


def test_a_deleted_file_is_named_unless_the_track_has_another(
    client: httpx.Client, wav: tuple[str, bytes], tmp_path: Path
) -> None:
    link, content = wav
    path = tmp_path / "library/a.wav"
    copy = tmp_path / "library/b.wav"
    copy.write_bytes(content)
    ingest_folder(copy.parent, "reference")
    path.unlink()
    assert get(client, link).content == content
    copy.unlink()
    answer = get(client, link)
    assert answer.status_code == 404
    assert "b.wav" in answer.text
    ingest_folder(copy.parent, "reference")
    assert "No file of this track was found. Ingest its recording." in get(client, link).text


def is_open(path: Path) -> bool:
    """Return whether this process has opened the file."""
    return any(file.path == str(path) for file in psutil.Process().open_files())


def test_a_client_that_stops_reading_leaves_no_open_file(
    client: httpx.Client, fresh_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "library/long.wav"
    tone(path, 440, seconds=4000)  # 64 MB, so that it does not fit into the buffers of a socket
    link = ingested(fresh_database, path)
    for query_string in ("", "?as=wav"):
        with client.stream("GET", link + query_string) as answer:
            blocks = answer.iter_bytes(1000)
            next(blocks)
            eventually(lambda: is_open(path), seconds=20)
        eventually(lambda: not is_open(path), seconds=20)


def test_locations_of_content_contain_the_length(
    wav: tuple[str, bytes],
) -> None:
    content = wav[0].removeprefix("/audio/").partition(".")[0]
    (location,) = queries.locations_of_content(content)
    assert (location.seconds, location.sample_rate, location.channels) == (2.0, 8000, 1)
    assert location.content_sha256 == content

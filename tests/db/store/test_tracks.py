"""Storing tracks, files and failures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mirpipe.db.store import failure_ledger, track_files, tracks
from mirpipe.db.store.track_files import SeenFile
from mirpipe.db.store.tracks import NewTrack
from mirpipe.records import Silence
from tests.support.databases import Database

SILENCE = Silence(((0.5, 1.0), (1.5, 2.0)), 0.5, -17.0)
FIRST, SECOND = b"\1" * 32, b"\2" * 32


@pytest.fixture
def app(fresh_database: Database) -> Iterator[Connection]:
    """Yield a transaction that uses the pipeline role."""
    with fresh_database.app.begin() as connection:
        yield connection


def add_track(app: Connection, content: bytes, *paths: bytes, title: str = "t") -> int:
    new = NewTrack(content, title, {"genre": "folk"}, 2.0, 8000, 1, -20.0, SILENCE)
    (track_id,) = tracks.write(app, "reference", [new])
    track_files.write(
        app, "reference", [SeenFile(p, repr(p), 5, 7, 8, content, None) for p in paths]
    )
    return track_id


def state(app: Connection, track_id: int) -> str:
    rows = app.execute(text("SELECT state FROM track WHERE track_id = :id"), {"id": track_id})
    return str(rows.scalar_one())


def test_a_track_comes_with_its_first_existing_path(app: Connection) -> None:
    track_id = add_track(app, FIRST, b"/b\xff.wav", b"/a.wav", b"/c.wav")
    track_files.mark_gone(app, "reference", [b"/a.wav"])
    (track,) = tracks.usable_tracks(app, [track_id, 999])
    assert track.path == Path("/b\udcff.wav")
    assert (track.title, track.seconds, track.rms_dbfs) == ("t", 2.0, -20.0)
    assert track.silence == SILENCE
    assert track.content_sha256 == FIRST
    assert track.subject == "reference:" + "01" * 32


def test_a_track_without_a_file_is_gone_until_one_returns(app: Connection) -> None:
    track_id = add_track(app, FIRST, b"/a.wav")
    assert tracks.update_states(app, {track_id}) == (0, 0)
    track_files.mark_gone(app, "reference", [b"/a.wav"])
    assert tracks.update_states(app, {track_id}) == (0, 1)
    assert state(app, track_id) == "gone"
    assert tracks.usable_tracks(app, [track_id]) == []
    track_files.mark_existing(app, "reference", [b"/a.wav"])
    assert tracks.update_states(app, {track_id}) == (1, 0)
    assert state(app, track_id) == "ok"


def test_writing_a_stored_content_again_changes_nothing(app: Connection) -> None:
    track_id = add_track(app, FIRST, b"/a.wav", title="first")
    assert add_track(app, FIRST, b"/b.wav", title="second") == track_id
    assert tracks.usable_tracks(app, [track_id])[0].title == "first"


def test_only_tracks_with_new_labels_are_counted(app: Connection) -> None:
    first, second = add_track(app, FIRST, b"/a.wav"), add_track(app, SECOND, b"/b.wav")
    labels = {first: ("t", {"genre": "folk"}), second: ("t", {"genre": "jazz"})}
    assert tracks.update_labels(app, labels, labels_from="manifest") == 1
    assert tracks.update_labels(app, labels, labels_from="manifest") == 0
    assert tracks.update_labels(app, {}, labels_from="manifest") == 0


def test_a_rejected_file_is_deleted_when_it_is_gone(app: Connection) -> None:
    track_files.write(app, "reference", [SeenFile(b"/a.wav", "/a.wav", 5, 7, 8, None, "empty")])
    stored = text("SELECT reason FROM mirpipe.track_file")
    assert app.execute(stored).scalars().all() == ["empty"]
    track_files.mark_gone(app, "reference", [b"/a.wav"])
    assert app.execute(stored).scalars().all() == []


def test_the_ledger_counts_attempts_and_can_be_cleared(
    app: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    for reason in ("empty", "silent"):
        failure_ledger.record(
            app, stage="ingest", subject="/a", reason=reason, message="\0\udc80!", retry=False
        )
    failure_ledger.record(
        app, stage="embed", subject="/a", reason="x", message="y", retry=True, revision="r"
    )
    assert caplog.messages == [
        "�?!",
        "�?!",
        "y",
    ]  # Log messages must not contain these characters either.
    row = app.execute(
        text("SELECT reason, message, attempts, retry FROM failure WHERE stage = 'ingest'")
    ).one()
    assert tuple(row) == ("silent", "�?!", 2, False)
    failure_ledger.clear(app, stage="ingest", subjects=["/a", "/b"])
    failure_ledger.clear(app, stage="embed", subjects=["/a"])
    assert app.execute(text("SELECT stage FROM failure")).scalars().all() == ["embed"]
    failure_ledger.clear(app, stage="embed", subjects=["/a"], revision="r")
    assert app.execute(text("SELECT count(*) FROM failure")).scalar_one() == 0

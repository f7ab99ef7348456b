"""Ingest: what is unusable, unreadable or suddenly missing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mirpipe.audio import inspect, show
from mirpipe.db.store.tracks import tracks
from mirpipe.errors import ConfigurationError
from mirpipe.stages import ingest as stage
from tests.stages.ingest.tables import counted, query, references, states
from tests.support import hostile_files
from tests.support.databases import Database


def test_tracks_in_a_folder_that_cannot_be_listed_are_not_gone(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    references(library)
    scandir = os.scandir

    def guarded(folder: bytes) -> object:
        if folder.endswith(b"below"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", guarded)  # root may list anything
        counted(references(library), seen=3, unchanged=2, rejected=1)
    assert set(states(fresh_database).values()) == {"ok"}
    assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("unreadable",)]
    counted(references(library), seen=3, unchanged=3)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


@pytest.mark.skipif(not hostile_files.HAS_FFMPEG, reason="ffmpeg is not installed")
def test_what_needs_ffmpeg_is_read_once_it_is_there(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile_files.by_ffmpeg(
        library / "song.m4a", "-c:a", "aac", samples=hostile_files.music(seed=5)
    )
    with monkeypatch.context() as patch:
        patch.setattr("shutil.which", lambda _name: None)
        counted(references(library), seen=4, added=3, rejected=1)
        counted(references(library), seen=4, unchanged=3, rejected=1)
        assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("needs_ffmpeg",)]
    counted(references(library), seen=4, unchanged=3, added=1)


def test_a_rejected_file_leaves_the_ledger_when_it_turns_good(
    fresh_database: Database, library: Path
) -> None:
    whole = hostile_files.encode("WAV", hostile_files.music(seed=7))
    (library / "late.wav").write_bytes(whole[:20_000])
    counted(references(library), seen=4, added=3, rejected=1)
    rows = query(fresh_database, "SELECT stage, subject, reason, retry FROM mirpipe.failure")
    assert rows == [("ingest", str(library / "late.wav"), "truncated", False)]
    (library / "late.wav").write_bytes(whole)
    counted(references(library), seen=4, unchanged=3, added=1)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


def test_a_rejected_file_leaves_the_ledger_when_it_goes(
    fresh_database: Database, library: Path
) -> None:
    (library / "broken.wav").write_bytes(b"no music")
    references(library)
    (library / "broken.wav").unlink()
    counted(references(library), seen=3, unchanged=3)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []
    assert query(fresh_database, "SELECT * FROM mirpipe.track_file WHERE track_id IS NULL") == []


def test_a_good_file_that_turns_bad_is_gone_and_in_the_ledger(
    fresh_database: Database, library: Path
) -> None:
    references(library)
    (library / "one.wav").write_bytes(b"")
    counted(references(library), seen=3, unchanged=2, rejected=1, gone=1)
    assert states(fresh_database)["one"] == "gone"
    assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("empty",)]


def test_good_files_get_in_and_broken_ones_get_reasons(
    fresh_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "music"
    good = hostile_files.write_good(folder / "good")
    broken = hostile_files.write_broken(folder / "broken")
    counted(references(folder), seen=len(good) + len(broken), added=len(good), rejected=len(broken))
    found = query(fresh_database, "SELECT path FROM mirpipe.v_library WHERE state = 'ok'")
    assert {path for (path,) in found} == {show(path) for path in good}
    reasons = dict(query(fresh_database, "SELECT subject, reason FROM mirpipe.failure"))  # type: ignore[arg-type]
    base = os.fsencode(folder / "broken")
    assert reasons == {show(base + b"/" + name): reason for name, reason in broken.items()}
    with fresh_database.app.connect() as connection:
        known = tracks(connection, range(1000))
    assert all(inspect(track.path).seconds == track.seconds for track in known)
    counted(
        references(folder), seen=len(good) + len(broken), unchanged=len(good), rejected=len(broken)
    )


@pytest.mark.parametrize(
    "empty_it", [shutil.rmtree, lambda f: [p.unlink() for p in f.rglob("*.*")]]
)
def test_a_folder_that_is_suddenly_empty_stops_ingest(
    fresh_database: Database, library: Path, empty_it: Callable[[Path], object]
) -> None:
    references(library)
    empty_it(library)
    with pytest.raises(ConfigurationError, match=r"held 3 tracks.*--allow-empty"):
        references(library)
    assert set(states(fresh_database).values()) == {"ok"}
    counted(references(library, allow_empty=True), gone=3)


def test_a_folder_that_never_was_is_an_error(fresh_database: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        references(tmp_path / "typo")


def test_a_file_that_is_being_written_is_left_for_next_time(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = stage.measure

    def slow_writer(reading: stage.Reading, *more: object) -> stage.Reading:
        if reading.path.endswith(b"one.wav"):
            with (library / "one.wav").open("ab") as file:
                file.write(b"more")
        return measure(reading, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "measure", slow_writer)
    counted(references(library), seen=3, added=2, changing=1)
    monkeypatch.undo()
    assert "one" not in states(fresh_database)


def test_what_no_one_foresaw_fails_one_file_and_is_tried_again(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(path: bytes) -> object:
        if path.endswith(b"one.wav"):
            raise MemoryError("no more")
        return inspect(path)

    with monkeypatch.context() as patch:
        patch.setattr("mirpipe.library.ingested_file.inspect", explode)
        counted(references(library), seen=3, added=2, failed=1)
        rows = query(fresh_database, "SELECT reason, retry, message FROM mirpipe.failure")
        assert rows == [("failed", True, f"{library}/one.wav: MemoryError: no more")]
    counted(references(library), seen=3, unchanged=2, added=1)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []

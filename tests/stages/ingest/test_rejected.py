"""Ingest: files that cannot be used, and folders that are missing or empty."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.audio import read_audio_facts
from mirpipe.db.store.tracks import usable_tracks
from mirpipe.errors import ConfigurationError
from mirpipe.files.printable_path import printable_path
from mirpipe.library.ingested_file import IngestedFile
from mirpipe.stages.ingest import read_files as reading
from tests.stages.ingest.tables import ingest_references, query, require_counts, states
from tests.support import encoded_audio, hostile_files
from tests.support.databases import Database


def test_tracks_in_a_folder_that_cannot_be_listed_are_not_gone(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_references(library)
    scandir = os.scandir

    def deny_below(folder: bytes) -> object:
        if folder.endswith(b"below"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    with monkeypatch.context() as patch:
        # scandir is replaced because the user root can list a folder whatever its permissions are.
        patch.setattr(os, "scandir", deny_below)
        require_counts(ingest_references(library), seen=3, unchanged=2, rejected=1)
    assert set(states(fresh_database).values()) == {"ok"}
    assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("unreadable",)]
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


@pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="ffmpeg is not installed")
def test_a_file_that_needs_ffmpeg_is_read_as_soon_as_ffmpeg_is_installed(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded_audio.encode_with_ffmpeg(
        library / "song.m4a", "-c:a", "aac", samples=encoded_audio.music(seed=5)
    )
    with monkeypatch.context() as patch:
        patch.setattr("shutil.which", lambda _name: None)
        require_counts(ingest_references(library), seen=4, added=3, rejected=1)
        require_counts(ingest_references(library), seen=4, unchanged=3, rejected=1)
        assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("needs_ffmpeg",)]
    require_counts(ingest_references(library), seen=4, unchanged=3, added=1)


def test_a_rejected_file_leaves_the_ledger_when_it_is_replaced_by_a_usable_one(
    fresh_database: Database, library: Path
) -> None:
    content = encoded_audio.encode("WAV", encoded_audio.music(seed=7))
    (library / "late.wav").write_bytes(content[:20_000])
    require_counts(ingest_references(library), seen=4, added=3, rejected=1)
    rows = query(fresh_database, "SELECT stage, subject, reason, retry FROM mirpipe.failure")
    assert rows == [("ingest", str(library / "late.wav"), "truncated", False)]
    (library / "late.wav").write_bytes(content)
    require_counts(ingest_references(library), seen=4, unchanged=3, added=1)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


def test_a_rejected_file_leaves_the_ledger_when_it_is_deleted(
    fresh_database: Database, library: Path
) -> None:
    (library / "broken.wav").write_bytes(b"no music")
    ingest_references(library)
    (library / "broken.wav").unlink()
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []
    assert query(fresh_database, "SELECT * FROM mirpipe.track_file WHERE track_id IS NULL") == []


def test_a_track_whose_file_is_damaged_is_gone_and_in_the_ledger(
    fresh_database: Database, library: Path
) -> None:
    ingest_references(library)
    (library / "one.wav").write_bytes(b"")
    require_counts(ingest_references(library), seen=3, unchanged=2, rejected=1, gone=1)
    assert states(fresh_database)["one"] == "gone"
    assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("empty",)]


def test_usable_files_become_tracks_and_broken_files_get_a_reason(
    fresh_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "music"
    good = hostile_files.write_good(folder / "good")
    broken = hostile_files.write_broken(folder / "broken")
    require_counts(
        ingest_references(folder),
        seen=len(good) + len(broken),
        added=len(good),
        rejected=len(broken),
    )
    paths = query(fresh_database, "SELECT path FROM mirpipe.v_library WHERE state = 'ok'")
    assert {path for (path,) in paths} == {printable_path(path) for path in good}
    reasons = dict(query(fresh_database, "SELECT subject, reason FROM mirpipe.failure"))  # type: ignore[arg-type]
    base = os.fsencode(folder / "broken")
    assert reasons == {
        printable_path(base + b"/" + name): reason for name, reason in broken.items()
    }
    with fresh_database.app.connect() as connection:
        known = usable_tracks(connection, range(1000))
    assert all(read_audio_facts(track.path).seconds == track.seconds for track in known)
    require_counts(
        ingest_references(folder),
        seen=len(good) + len(broken),
        unchanged=len(good),
        rejected=len(broken),
    )


@pytest.mark.parametrize(
    "empty_it", [shutil.rmtree, lambda f: [p.unlink() for p in f.rglob("*.*")]]
)
def test_a_folder_that_has_lost_all_files_stops_ingest(
    fresh_database: Database, library: Path, empty_it: Callable[[Path], object]
) -> None:
    ingest_references(library)
    empty_it(library)
    with pytest.raises(ConfigurationError, match=r"contained 3 tracks.*--allow-removal"):
        ingest_references(library)
    assert set(states(fresh_database).values()) == {"ok"}
    require_counts(ingest_references(library, allow_removal=True), gone=3)


def test_a_folder_that_does_not_exist_is_an_error(fresh_database: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        ingest_references(tmp_path / "typo")


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_facts_and_labels = reading.read_facts_and_labels

    def append_while_reading(file: IngestedFile, *arguments: object) -> IngestedFile:
        if file.path.endswith(b"one.wav"):
            with (library / "one.wav").open("ab") as writer:
                writer.write(b"more")
        return read_facts_and_labels(file, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "read_facts_and_labels", append_while_reading)
    require_counts(ingest_references(library), seen=3, added=2, changing=1)
    monkeypatch.undo()
    assert "one" not in states(fresh_database)


def test_an_unexpected_error_fails_one_file_which_is_tried_again(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_for_one_file(path: Path) -> object:
        if path.name == "one.wav":
            raise MemoryError("no more")
        return read_audio_facts(path)

    with monkeypatch.context() as patch:
        patch.setattr("mirpipe.library.ingested_file.read_facts", raise_for_one_file)
        require_counts(ingest_references(library), seen=3, added=2, failed=1)
        rows = query(fresh_database, "SELECT reason, retry, message FROM mirpipe.failure")
        ((reason, retry, message),) = rows
        assert (reason, retry) == ("failed", True)
        assert str(message).startswith(
            f"{library}/one.wav could not be read: MemoryError: no more."
        )
    require_counts(ingest_references(library), seen=3, unchanged=2, added=1)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


def test_a_file_that_cannot_be_read_is_tried_again_with_a_growing_delay(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch, read_files: list[str]
) -> None:
    pread = os.pread

    def fail(descriptor: int, count: int, offset: int) -> bytes:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "two.flac":
            raise OSError(116, os.strerror(116))
        return pread(descriptor, count, offset)

    monkeypatch.setattr(os, "pread", fail)
    require_counts(ingest_references(library), seen=3, added=2, rejected=1)
    ledger = "SELECT reason, retry, attempts FROM mirpipe.failure"
    assert query(fresh_database, ledger) == [("unreadable", True, 1)]
    require_counts(ingest_references(library), seen=3, unchanged=2, rejected=1)
    assert query(fresh_database, ledger) == [("unreadable", True, 2)]  # The drive may be back.
    read_files.clear()
    for attempts, minutes in ((2, 15), (3, 30), (5, 120), (9, 360), (1000, 360)):
        for waited, tries in ((minutes - 1, False), (minutes + 1, True)):
            _set_last_attempt(fresh_database, attempts, waited)
            require_counts(ingest_references(library), seen=3, unchanged=2, rejected=1)
            assert read_files == (["two.flac"] if tries else []), (attempts, waited)
            read_files.clear()
    monkeypatch.undo()
    _set_last_attempt(fresh_database, 9, 361)
    require_counts(ingest_references(library), seen=3, unchanged=2, added=1)
    assert query(fresh_database, ledger) == []


def _set_last_attempt(database: Database, attempts: int, minutes_ago: int) -> None:
    with database.app.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.failure SET attempts = :attempts, "
                "last_seen = now() - make_interval(mins => :minutes)"
            ),
            {"attempts": attempts, "minutes": minutes_ago},
        )

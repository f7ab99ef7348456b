"""Found files compared with stored files in the database."""

from collections.abc import Iterator

import pytest

from mirpipe.db.store import track_files, tracks
from mirpipe.db.store.scanned_files import FolderComparison, ScannedFile, folder_comparison
from mirpipe.db.store.track_files import SeenFile
from mirpipe.db.store.tracks import NewTrack
from mirpipe.records import Silence
from tests.support.databases import Database

CONTENT = b"1" * 32
SILENCE = Silence((), 0.0, -20.0)


def found(path: bytes, *, mtime_ns: int = 7, ctime_ns: int = 8, reason: str = "") -> ScannedFile:
    return ScannedFile(path, 5, mtime_ns, ctime_ns, reason, reason and "message", False)


@pytest.fixture
def comparison(fresh_database: Database) -> Iterator[FolderComparison]:
    """Yield a comparison for the folder /m. Five files of one track are stored."""
    with fresh_database.app.begin() as connection:
        new = NewTrack(CONTENT, "title", {}, 2.0, 8000, 1, -20.0, SILENCE)
        tracks.write(connection, "reference", [new])
        for path in (b"/m/a.wav", b"/m_x/b.wav", b"/mm/c.wav", b"/m/%/\\d.wav", b"/m"):
            file = SeenFile(path, repr(path), 5, 7, 8, CONTENT, None)
            track_files.write(connection, "reference", [file])
    with folder_comparison("reference", [b"/m"]) as comparison:
        yield comparison


def test_files_that_are_not_in_or_at_a_root_are_not_compared(comparison: FolderComparison) -> None:
    comparison.compare([])
    assert comparison.root_counts(b"/m") == (False, 3)
    assert comparison.find_vanished() == 0  # The track has files outside the folder.
    assert list(comparison.vanished_paths()) == [b"/m", b"/m/%/\\d.wav", b"/m/a.wav"]


@pytest.mark.parametrize("changed", [{"mtime_ns": 1}, {"ctime_ns": 1}, {"reason": "not_a_file"}])
def test_a_file_with_another_time_or_problem_has_changed(
    comparison: FolderComparison, changed: dict[str, int]
) -> None:
    files = [found(b"/m/a.wav", **changed), found(b"/m/%/\\d.wav"), found(b"/m/new.wav")]
    comparison.compare(files)
    assert comparison.counts() == {"changed": 2, "unchanged": 1}
    assert [file.path for file in comparison.files("changed")] == [b"/m/a.wav", b"/m/new.wav"]
    assert list(comparison.existing_files()) == [(b"/m/%/\\d.wav", 1, None), (b"/m/a.wav", 1, None)]


def test_an_object_has_changed_if_its_etag_or_size_differs(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        new = NewTrack(CONTENT, "title", {}, 2.0, 8000, 1, -20.0, SILENCE)
        tracks.write(connection, "reference", [new])
        for name in (b"same", b"etag", b"size", b"marked"):
            file = SeenFile(b"s3://b/" + name, "", 5, 7, 8, CONTENT, None, etag="old")
            track_files.write(connection, "reference", [file])
        track_files.mark_changed(connection, b"s3://b/marked")
    scanned = {"same": (5, "old"), "etag": (5, "new"), "size": (6, "old"), "marked": (5, "old")}
    with folder_comparison("reference", [b"s3://b"]) as objects:
        objects.compare(
            ScannedFile(f"s3://b/{name}".encode(), size, 99, 99, "", "", False, etag)
            for name, (size, etag) in scanned.items()
        )
        changed = {file.path for file in objects.files("changed")}
    assert changed == {b"s3://b/etag", b"s3://b/size", b"s3://b/marked"}


def test_files_in_an_unlisted_folder_have_not_vanished(comparison: FolderComparison) -> None:
    folder = ScannedFile(b"/m/%", 1, 1, 1, "unreadable", "message", True)
    comparison.compare([folder])
    comparison.find_vanished()
    assert list(comparison.vanished_paths()) == [b"/m", b"/m/a.wav"]

"""Ingest: the tables match the files after files are added, moved, copied or removed."""

import os
import shutil
from pathlib import Path

import pytest

from mirpipe.stages.ingest import ingest
from tests.stages.ingest.tables import ingest_references, query, require_counts, states, tables
from tests.support import encoded_audio
from tests.support.databases import Database


def test_every_usable_file_becomes_a_track(fresh_database: Database, library: Path) -> None:
    require_counts(ingest_references(library), seen=3, added=3)
    rows = query(
        fresh_database,
        "SELECT title, path, format, seconds, sample_rate, channels "
        "FROM mirpipe.v_library ORDER BY title",
    )
    assert rows == [
        ("one", str(library / "one.wav"), "WAV", 2.0, encoded_audio.RATE, 1),
        ("three", str(library / "below/three.ogg"), "OGG", 2.0, encoded_audio.RATE, 1),
        ("two", str(library / "two.flac"), "FLAC", 2.0, encoded_audio.RATE, 1),
    ]


def test_a_second_run_reads_no_file_and_changes_no_table(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    ingest_references(library)
    (library / "broken.wav").write_bytes(b"no music")
    ingest_references(library)
    before = tables(fresh_database)
    read_files.clear()
    require_counts(ingest_references(library), seen=4, unchanged=3, rejected=1)
    assert read_files == []
    assert tables(fresh_database) == before


def test_a_file_with_a_new_time_is_read_once_and_stays_the_same_track(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    ingest_references(library)
    os.utime(library / "one.wav", ns=(1, 1))
    read_files.clear()
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert read_files == ["one.wav"]
    read_files.clear()
    ingest_references(library)
    assert read_files == []


def test_an_edit_that_keeps_size_and_modification_time_is_noticed(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    ingest_references(library)
    before = (library / "one.wav").stat()
    (library / "one.wav").write_bytes((library / "one.wav").read_bytes()[::-1])
    os.utime(library / "one.wav", ns=(before.st_atime_ns, before.st_mtime_ns))
    read_files.clear()
    require_counts(ingest_references(library), seen=3, unchanged=2, rejected=1, gone=1)
    assert read_files == ["one.wav"]


def test_times_that_moved_by_an_hour_change_nothing_else(
    fresh_database: Database, library: Path, read_files: list[str], no_decoding: None
) -> None:
    before = tables(fresh_database, with_times=False)
    read_files.clear()
    for path in library.rglob("*.*"):
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 3600 * 10**9))
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert sorted(read_files) == ["one.wav", "three.ogg", "two.flac"]
    assert tables(fresh_database, with_times=False) == before
    read_files.clear()
    require_counts(ingest_references(library), seen=3, unchanged=3)
    assert read_files == []


def test_a_moved_file_is_the_same_track(fresh_database: Database, library: Path) -> None:
    ingest_references(library)
    before = query(fresh_database, "SELECT track_id, changed_at FROM mirpipe.track ORDER BY 1")
    (library / "one.wav").rename(library / "below" / "one.wav")
    require_counts(ingest_references(library), seen=3, unchanged=2, moved=1)
    assert (
        query(fresh_database, "SELECT track_id, changed_at FROM mirpipe.track ORDER BY 1") == before
    )
    paths = {path for (path,) in query(fresh_database, "SELECT path FROM mirpipe.v_library")}
    assert str(library / "below/one.wav") in paths
    assert str(library / "one.wav") not in paths


def test_a_title_from_a_file_name_follows_the_file(fresh_database: Database, library: Path) -> None:
    ingest_references(library)
    (library / "one.wav").rename(library / "uno.wav")
    require_counts(ingest_references(library), seen=3, unchanged=2, moved=1, relabelled=1)
    assert states(fresh_database).keys() == {"uno", "two", "three"}


def test_a_copy_does_not_become_a_second_track(fresh_database: Database, library: Path) -> None:
    for name in ("copy of two.flac", "another.flac"):
        shutil.copy(library / "two.flac", library / name)
    require_counts(ingest_references(library), seen=5, added=3, duplicate=2)
    shutil.copy(library / "two.flac", library / "later.flac")
    require_counts(ingest_references(library), seen=6, unchanged=5, duplicate=1)
    assert query(fresh_database, "SELECT count(*) FROM mirpipe.track") == [(3,)]


def test_a_track_is_gone_when_its_last_file_is_removed(
    fresh_database: Database, library: Path
) -> None:
    shutil.copy(library / "one.wav", library / "copy.wav")
    ingest_references(library)
    (library / "one.wav").unlink()
    require_counts(ingest_references(library), seen=3, unchanged=3)
    (library / "copy.wav").unlink()
    require_counts(ingest_references(library), seen=2, unchanged=2, gone=1)
    assert sorted(states(fresh_database).values()) == ["gone", "ok", "ok"]
    require_counts(ingest_references(library), seen=2, unchanged=2)


@pytest.mark.parametrize(("moved", "expected"), [("below", []), ("one.wav", ["one.wav"])])
def test_a_track_whose_file_returns_is_the_same_track(
    fresh_database: Database, library: Path, read_files: list[str], moved: str, expected: list[str]
) -> None:
    ingest_references(library)
    before = tables(fresh_database)
    (library / moved).rename(library.parent / "away")
    require_counts(ingest_references(library), seen=2, unchanged=2, gone=1)
    (library.parent / "away").rename(library / moved)
    read_files.clear()
    require_counts(ingest_references(library), seen=3, unchanged=2, returned=1)
    assert read_files == expected  # Only a file that was moved itself has a new ctime.
    assert tables(fresh_database) == before


def test_content_that_returns_in_another_folder_is_not_decoded(
    fresh_database: Database, library: Path, no_decoding: None
) -> None:
    content = (library / "one.wav").read_bytes()
    (library / "one.wav").unlink()
    ingest_references(library)
    (library / "below" / "one.wav").write_bytes(content)
    require_counts(ingest_references(library), seen=3, unchanged=2, returned=1)
    assert set(states(fresh_database).values()) == {"ok"}


def test_new_content_at_a_known_path_is_a_new_track(
    fresh_database: Database, library: Path
) -> None:
    ingest_references(library)
    (library / "one.wav").write_bytes(encoded_audio.encode("WAV", encoded_audio.music(3.0, seed=9)))
    require_counts(ingest_references(library), seen=3, unchanged=2, added=1, gone=1)
    rows = query(fresh_database, "SELECT state, seconds FROM mirpipe.track WHERE title = 'one'")
    assert sorted(rows) == [("gone", 2.0), ("ok", 3.0)]


def test_the_same_content_may_be_a_target_and_a_reference(
    fresh_database: Database, library: Path
) -> None:
    ingest_references(library)
    require_counts(ingest([library], collection="target"), seen=3, added=3)
    rows = query(
        fresh_database, "SELECT collection, count(*) FROM mirpipe.track GROUP BY 1 ORDER BY 1"
    )
    assert rows == [("reference", 3), ("target", 3)]


def test_new_content_at_the_path_of_a_gone_file_is_a_new_track(
    fresh_database: Database, library: Path
) -> None:
    ingest_references(library)
    (library / "one.wav").unlink()
    ingest_references(library)
    (library / "one.wav").write_bytes(encoded_audio.encode("WAV", encoded_audio.music(3.0, seed=9)))
    require_counts(ingest_references(library), seen=3, unchanged=2, added=1)
    assert (3.0, "ok", 1) in query(
        fresh_database, "SELECT seconds, state, files FROM mirpipe.v_library"
    )
    require_counts(ingest_references(library), seen=3, unchanged=3)


def test_only_files_in_the_ingested_folders_are_marked_as_gone(
    fresh_database: Database, library: Path
) -> None:
    ingest_references(library)
    (library / "below2").mkdir()
    shutil.copy(library / "one.wav", library / "below2")
    shutil.rmtree(library / "below")
    require_counts(ingest_references(library / "below2"), seen=1, duplicate=1)
    assert set(states(fresh_database).values()) == {"ok"}


def test_progress_is_reported_for_each_file(fresh_database: Database, library: Path) -> None:
    calls: list[tuple[int, int]] = []
    ingest_references(library, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]

"""Ingest: files and tables come to say the same, whatever happens in between."""

import os
import shutil
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.audio import inspect, show
from mirpipe.db.store.tracks import tracks
from mirpipe.errors import ConfigurationError
from mirpipe.records import Collection
from mirpipe.stages import ingest as stage
from mirpipe.stages.ingest import IngestResult, ingest
from tests import hostile
from tests.conftest import Database

Rows = list[tuple[object, ...]]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three tracks, one of them in a folder below."""
    folder = tmp_path / "library"
    (folder / "below").mkdir(parents=True)
    for seed, name in enumerate(("one.wav", "two.flac", "below/three.ogg")):
        kind = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG"}[name.rpartition(".")[2]]
        (folder / name).write_bytes(hostile.encode(kind, hostile.music(seed=seed)))
    return folder


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that ingest opened to read their bytes."""
    names: list[str] = []
    identify = stage.identify

    def noted(candidate: stage.Candidate) -> stage.Reading:
        names.append(os.fsdecode(candidate.path).rpartition("/")[2])
        return identify(candidate)

    monkeypatch.setattr(stage, "identify", noted)
    return names


def query(database: Database, sql: str) -> Rows:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def tables(database: Database) -> list[Rows]:
    """Everything that ingest writes, without ids, times and attempts."""
    return [
        query(
            database,
            "SELECT collection, content_sha256::text, title, labels::text, format, seconds, "
            "sample_rate, channels, rms_dbfs, state FROM mirpipe.track ORDER BY 1, 2",
        ),
        query(
            database,
            "SELECT f.collection, path::text, path_text, content_sha256::text, bytes, mtime_ns, "
            "f.reason, gone_at IS NULL FROM mirpipe.track_file f "
            "LEFT JOIN mirpipe.track t USING (track_id) ORDER BY 1, 2",
        ),
        query(
            database,
            "SELECT stage, subject, reason, message, retry FROM mirpipe.failure ORDER BY 2",
        ),
    ]


def states(database: Database) -> dict[str, str]:
    return dict(query(database, "SELECT title, state FROM mirpipe.track"))  # type: ignore[arg-type]


def counted(result: IngestResult, **expected: int) -> None:
    """Every count that is not named is nought."""
    found = {name: count for name, count in vars(result).items() if count}
    assert found == expected


def references(folder: Path, **options: object) -> IngestResult:
    return ingest([folder], collection="reference", **options)  # type: ignore[arg-type]


def test_every_usable_file_becomes_a_track(fresh_database: Database, library: Path) -> None:
    counted(references(library), seen=3, added=3)
    rows = query(
        fresh_database,
        "SELECT title, path, format, seconds, sample_rate, channels "
        "FROM mirpipe.v_library ORDER BY title",
    )
    assert rows == [
        ("one", str(library / "one.wav"), "WAV", 2.0, hostile.RATE, 1),
        ("three", str(library / "below/three.ogg"), "OGG", 2.0, hostile.RATE, 1),
        ("two", str(library / "two.flac"), "FLAC", 2.0, hostile.RATE, 1),
    ]


def test_second_run_reads_nothing_and_writes_nothing(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    references(library)
    (library / "broken.wav").write_bytes(b"no music")
    references(library)
    before = tables(fresh_database)
    read_files.clear()
    counted(references(library), seen=4, unchanged=3, rejected=1)
    assert read_files == []
    assert tables(fresh_database) == before


def test_a_touched_file_is_read_and_stays_the_same_track(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    references(library)
    os.utime(library / "one.wav", ns=(1, 1))
    read_files.clear()
    counted(references(library), seen=3, unchanged=3)
    assert read_files == ["one.wav"]
    read_files.clear()
    references(library)
    assert read_files == []


def test_a_moved_file_is_the_same_track(fresh_database: Database, library: Path) -> None:
    references(library)
    before = query(fresh_database, "SELECT track_id, changed_at FROM mirpipe.track ORDER BY 1")
    (library / "one.wav").rename(library / "below" / "uno.wav")
    counted(references(library), seen=3, unchanged=2, moved=1)
    assert (
        query(fresh_database, "SELECT track_id, changed_at FROM mirpipe.track ORDER BY 1") == before
    )
    paths = {path for (path,) in query(fresh_database, "SELECT path FROM mirpipe.v_library")}
    assert str(library / "below/uno.wav") in paths
    assert str(library / "one.wav") not in paths


def test_a_copy_is_not_a_second_track(fresh_database: Database, library: Path) -> None:
    for name in ("copy of two.flac", "another.flac"):
        shutil.copy(library / "two.flac", library / name)
    counted(references(library), seen=5, added=3, duplicate=2)
    shutil.copy(library / "two.flac", library / "later.flac")
    counted(references(library), seen=6, unchanged=5, duplicate=1)
    assert query(fresh_database, "SELECT count(*) FROM mirpipe.track") == [(3,)]


def test_a_track_is_gone_only_with_its_last_file(fresh_database: Database, library: Path) -> None:
    shutil.copy(library / "one.wav", library / "copy.wav")
    references(library)
    (library / "one.wav").unlink()
    counted(references(library), seen=3, unchanged=3)
    (library / "copy.wav").unlink()
    counted(references(library), seen=2, unchanged=2, gone=1)
    assert sorted(states(fresh_database).values()) == ["gone", "ok", "ok"]
    counted(references(library), seen=2, unchanged=2)


def test_a_track_that_returns_is_the_one_it_was(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    references(library)
    before = tables(fresh_database)
    away = library.parent / "away.wav"
    (library / "one.wav").rename(away)
    counted(references(library), seen=2, unchanged=2, gone=1)
    away.rename(library / "one.wav")
    read_files.clear()
    counted(references(library), seen=3, unchanged=2, returned=1)
    assert read_files == []
    assert tables(fresh_database) == before


def test_content_that_returns_under_another_name_is_not_decoded(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    references(library)
    content = (library / "one.wav").read_bytes()
    (library / "one.wav").unlink()
    references(library)
    (library / "new name.wav").write_bytes(content)

    def refuse(_path: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("mirpipe.reading.inspect", refuse)
    counted(references(library), seen=3, unchanged=2, returned=1)
    assert set(states(fresh_database).values()) == {"ok"}


def test_new_content_at_a_known_path_is_a_new_track(
    fresh_database: Database, library: Path
) -> None:
    references(library)
    (library / "one.wav").write_bytes(hostile.encode("WAV", hostile.music(3.0, seed=9)))
    counted(references(library), seen=3, unchanged=2, added=1, gone=1)
    rows = query(fresh_database, "SELECT state, seconds FROM mirpipe.track WHERE title = 'one'")
    assert sorted(rows) == [("gone", 2.0), ("ok", 3.0)]


def test_the_same_content_may_be_target_and_reference(
    fresh_database: Database, library: Path
) -> None:
    references(library)
    counted(ingest([library], collection="target"), seen=3, added=3)
    rows = query(
        fresh_database, "SELECT collection, count(*) FROM mirpipe.track GROUP BY 1 ORDER BY 1"
    )
    assert rows == [("reference", 3), ("target", 3)]


def test_a_path_that_returns_with_other_content_is_there(
    fresh_database: Database, library: Path
) -> None:
    references(library)
    (library / "one.wav").unlink()
    references(library)
    (library / "one.wav").write_bytes(hostile.encode("WAV", hostile.music(3.0, seed=9)))
    counted(references(library), seen=3, unchanged=2, added=1)
    assert (3.0, "ok", 1) in query(
        fresh_database, "SELECT seconds, state, files FROM mirpipe.v_library"
    )
    counted(references(library), seen=3, unchanged=3)


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


@pytest.mark.skipif(not hostile.HAS_FFMPEG, reason="ffmpeg is not installed")
def test_what_needs_ffmpeg_is_read_once_it_is_there(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.by_ffmpeg(library / "song.m4a", "-c:a", "aac", samples=hostile.music(seed=5))
    with monkeypatch.context() as patch:
        patch.setattr("shutil.which", lambda _name: None)
        counted(references(library), seen=4, added=3, rejected=1)
        counted(references(library), seen=4, unchanged=3, rejected=1)
        assert query(fresh_database, "SELECT reason FROM mirpipe.failure") == [("needs_ffmpeg",)]
    counted(references(library), seen=4, unchanged=3, added=1)


def test_a_rejected_file_leaves_the_ledger_when_it_turns_good(
    fresh_database: Database, library: Path
) -> None:
    whole = hostile.encode("WAV", hostile.music(seed=7))
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
    good = hostile.write_good(folder / "good")
    broken = hostile.write_broken(folder / "broken")
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


def test_only_files_below_the_given_folders_can_vanish(
    fresh_database: Database, library: Path
) -> None:
    references(library)
    (library / "below2").mkdir()
    shutil.copy(library / "one.wav", library / "below2")
    shutil.rmtree(library / "below")
    counted(references(library / "below2"), seen=1, duplicate=1)
    assert set(states(fresh_database).values()) == {"ok"}


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
        patch.setattr("mirpipe.reading.inspect", explode)
        counted(references(library), seen=3, added=2, failed=1)
        rows = query(fresh_database, "SELECT reason, retry, message FROM mirpipe.failure")
        assert rows == [("failed", True, f"{library}/one.wav: MemoryError: no more")]
    counted(references(library), seen=3, unchanged=2, added=1)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


def test_two_ingests_at_once_do_the_work_once(fresh_database: Database, library: Path) -> None:
    results: list[IngestResult] = []
    threads = [
        threading.Thread(target=lambda: results.append(references(library))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(result.added for result in results) == [0, 3]
    assert len(states(fresh_database)) == 3


def test_progress_reaches_its_total(fresh_database: Database, library: Path) -> None:
    said: list[tuple[int, int]] = []
    references(library, progress=lambda done, total: said.append((done, total)))
    assert said == [(1, 3), (2, 3), (3, 3)]


_KILLED = """
import os, sys
from pathlib import Path
from mirpipe.db.store import files, tracks
from mirpipe.stages import ingest as stage
stage.BATCH_FILES = 2
calls = 0
def count(function):
    def counted(*arguments):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        return function(*arguments)
    return counted
for name in ("write", "leave", "bring_back"):
    setattr(files, name, count(getattr(files, name)))
for name in ("write", "settle", "relabel"):
    setattr(tracks, name, count(getattr(tracks, name)))
stage.ingest([Path(sys.argv[1])], collection="reference", manifest=Path(sys.argv[1]) / "m.csv")
"""


@pytest.mark.slow
def test_killed_anywhere_and_run_again_the_tables_are_the_same(
    fresh_database: Database, library: Path
) -> None:
    def change() -> None:
        (library / "one.wav").rename(library / "moved.wav")
        shutil.copy(library / "two.flac", library / "copy.flac")
        (library / "below/three.ogg").unlink()
        (library / "broken.wav").write_bytes(b"no music")
        (library / "four.wav").write_bytes(hostile.encode("WAV", hostile.music(seed=4)))
        (library / "m.csv").write_text("path,title\nmoved.wav,Moved\nfour.wav,Four\n")
        for path in library.rglob("*.*"):
            os.utime(path, ns=(10**9, 10**9))

    def kill_at(call: int) -> int:
        script = [sys.executable, "-c", _KILLED, str(library), str(call)]
        return subprocess.run(script, capture_output=True).returncode

    references(library)
    start = library.with_name("start")
    shutil.copytree(library, start)
    change()
    references(library, manifest=library / "m.csv")
    undisturbed = tables(fresh_database)
    call, code = 0, -9
    while code == -9:
        call += 1
        with fresh_database.owner.begin() as connection:
            connection.execute(
                text("TRUNCATE mirpipe.track, mirpipe.track_file, mirpipe.failure CASCADE")
            )
        shutil.rmtree(library)
        shutil.copytree(start, library)
        references(library)
        change()
        code = kill_at(call)
        references(library, manifest=library / "m.csv")
        assert tables(fresh_database) == undisturbed, f"killed at call {call}"
    assert code == 0
    assert call > 8


def write_manifest(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def labels(database: Database) -> dict[str, object]:
    return dict(query(database, "SELECT title, labels FROM mirpipe.track"))  # type: ignore[arg-type]


def test_the_manifest_gives_title_and_labels(fresh_database: Database, library: Path) -> None:
    manifest = write_manifest(
        library / "manifest.csv",
        "path,title,collection,genre,work",
        "one.wav,Die Eins,reference,folk,",
        "below/three.ogg,Drei,target,jazz,w3",
    )
    counted(references(library, manifest=manifest), seen=3, added=3)
    assert labels(fresh_database) == {"Die Eins": {"genre": "folk"}, "two": {}, "three": {}}


def test_a_changed_manifest_relabels_without_reading_audio(
    fresh_database: Database, library: Path, read_files: list[str]
) -> None:
    references(library)
    read_files.clear()
    manifest = write_manifest(
        library.parent / "m.csv", "path,title,genre", "library/one.wav,Eins,folk", "nowhere.wav,x,y"
    )
    counted(references(library, manifest=manifest), seen=3, unchanged=3, relabelled=1, unmatched=1)
    assert labels(fresh_database)["Eins"] == {"genre": "folk"}
    assert read_files == []
    counted(references(library, manifest=manifest), seen=3, unchanged=3, unmatched=1)
    counted(references(library), seen=3, unchanged=3)
    assert "Eins" in labels(fresh_database)


def test_composed_and_decomposed_names_match(fresh_database: Database, tmp_path: Path) -> None:
    name = "Café 한글.wav"
    folder = tmp_path / "library"
    folder.mkdir()
    on_disk = unicodedata.normalize("NFD", name)
    assert on_disk != unicodedata.normalize("NFC", name)
    (folder / on_disk).write_bytes(hostile.encode("WAV"))
    manifest = write_manifest(
        folder / "m.csv", "path,title", f"{unicodedata.normalize('NFC', name)},Café"
    )
    references(folder, manifest=manifest)
    assert labels(fresh_database) == {"Café": {}}


@pytest.mark.parametrize(
    "collection", [pytest.param("reference", marks=pytest.mark.slow), "target"]
)
def test_the_demo_library_is_all_usable_and_all_labelled(
    fresh_database: Database, collection: Collection
) -> None:
    demo = Path(__file__).parents[2] / "demo"
    result = ingest([demo / collection], collection=collection, manifest=demo / "manifest.csv")
    count = len(list((demo / collection).iterdir()))
    counted(result, seen=count, added=count)
    rows = query(fresh_database, "SELECT count(*) FROM mirpipe.v_library WHERE genre IS NOT NULL")
    assert rows == [(count,)]

"""Ingest: killed runs, and two runs at the same time."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.stages.ingest import IngestResult
from tests.stages.ingest.tables import ingest_references, states, tables
from tests.support import encoded_audio
from tests.support.databases import Database

_KILLED = """
import os, sys
from pathlib import Path
from mirpipe.db.store import file_tags, track_files, tracks
from mirpipe.stages.ingest import ingest, read_files
read_files.BATCH_FILES = 2
calls = 0
def kill_at(function):
    def call_or_kill(*arguments, **options):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        return function(*arguments, **options)
    return call_or_kill
for name in ("write", "write_manifest_rows", "mark_gone", "mark_existing"):
    setattr(track_files, name, kill_at(getattr(track_files, name)))
for name in ("write", "update_states", "update_labels"):
    setattr(tracks, name, kill_at(getattr(tracks, name)))
file_tags.write_encoding = kill_at(file_tags.write_encoding)
ingest([Path(sys.argv[1])], collection="reference", manifest=Path(sys.argv[1]) / "m.csv")
"""


@pytest.mark.faults
def test_after_a_kill_at_any_write_the_next_run_gives_the_same_tables(
    fresh_database: Database, library: Path
) -> None:
    def change_files() -> None:
        (library / "one.wav").rename(library / "moved.wav")
        shutil.copy(library / "two.flac", library / "copy.flac")
        (library / "below/three.ogg").unlink()
        (library / "broken.wav").write_bytes(b"no music")
        (library / "four.wav").write_bytes(encoded_audio.encode("WAV", encoded_audio.music(seed=4)))
        (library / "m.csv").write_text("path,title\nmoved.wav,Moved\nfour.wav,Four\n")
        for path in library.rglob("*.*"):
            os.utime(path, ns=(10**9, 10**9))

    def kill_at(call: int) -> int:
        script = [sys.executable, "-c", _KILLED, str(library), str(call)]
        return subprocess.run(script, capture_output=True).returncode

    ingest_references(library)
    original = library.with_name("start")
    shutil.copytree(library, original)
    change_files()
    ingest_references(library, manifest=library / "m.csv")
    expected = tables(fresh_database)
    call, code = 0, -9
    while code == -9:
        call += 1
        with fresh_database.owner.begin() as connection:
            connection.execute(
                text("TRUNCATE mirpipe.track, mirpipe.track_file, mirpipe.failure CASCADE")
            )
        shutil.rmtree(library)
        shutil.copytree(original, library)
        ingest_references(library)
        change_files()
        code = kill_at(call)
        ingest_references(library, manifest=library / "m.csv")
        assert tables(fresh_database) == expected, f"killed at call {call}"
    assert code == 0
    assert call > 8


def test_two_runs_at_the_same_time_add_each_track_once(
    fresh_database: Database, library: Path
) -> None:
    results: list[IngestResult] = []
    threads = [
        threading.Thread(target=lambda: results.append(ingest_references(library)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(result.added for result in results) == [0, 3]
    assert len(states(fresh_database)) == 3

"""Ingest: killed anywhere, and twice at once."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.stages.ingest import IngestResult
from tests.stages.ingest.tables import references, states, tables
from tests.support import hostile_files
from tests.support.databases import Database

_KILLED = """
import os, sys
from pathlib import Path
from mirpipe.db.store import track_files, tracks
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
    setattr(track_files, name, count(getattr(track_files, name)))
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
        (library / "four.wav").write_bytes(hostile_files.encode("WAV", hostile_files.music(seed=4)))
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

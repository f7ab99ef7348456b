"""Measures the commands on a library of a million references, one after the other.

The library is built once, in var/bench/library-REFERENCES-TARGETS, and each measurement is stored
when it is complete. So an interrupted measurement continues where it stopped. Delete the folder to
start again. The environment variables REFERENCES and TARGETS set the numbers of tracks.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from sqlalchemy import text

from benchmarks import search
from benchmarks.large_library import (
    add_tracks,
    add_vectors,
    clustered_vectors,
    kept_server,
    register_encoder,
)
from benchmarks.synthetic_files import add_files, change_fingerprints
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import close_engines, engine
from mirpipe.records import Collection, Float32
from mirpipe.settings import PROJECT

REFERENCES = 1_000_000
TARGETS = 10_000
RANKED_TARGETS = 1_000
"""Number of targets whose rankings a report measures."""
DIMENSIONS = {"bench_512": 512, "bench_1024": 1024}
"""Encoders, and the numbers of values of their vectors."""
BATCH = 50_000
"""Number of tracks that are written at once."""
SAMPLE_SECONDS = 0.1
"""Time between two measurements of memory."""
Rows = list[tuple[str, float, str]]
"""Name, value and unit of each measurement."""


@dataclass(frozen=True)
class Step:
    """A measured command."""

    arguments: Sequence[str]
    """Arguments of `mirpipe`. {folder} is the library's folder."""
    prepare: Callable[[int], object] | None = None
    """Called with the number of references before the command runs. It may be called again."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the command."""


def _add_references(references: int) -> None:
    """Add one per cent of new references, with vectors of all encoders."""
    _add_tracks("reference", references + references // 100)


STEPS = {
    "neighbour lists": Step(["retrieve"]),
    "neighbour lists, nothing new": Step(["retrieve"]),
    "report": Step(["report"]),
    "report, nothing new": Step(["report"]),
    "pending work": Step(["status", "--json"]),
    "scan of unchanged files": Step(["ingest", "{folder}/files", "--collection", "reference"]),
    "same recordings, 1% new": Step(["evaluate"], lambda _references: change_fingerprints()),
    "digest": Step(["verify", "--digest"]),
    "verify": Step(["verify"]),
    "export": Step(["export", "{folder}/export"]),
    "export of the vectors": Step(["export", "{folder}/export", "--vectors"]),
    "backup": Step(["backup", "{folder}/backup"]),
    "restore": Step(["restore", "{folder}/backup", "--replace"]),
    "neighbour lists, 1% new references": Step(["retrieve"], _add_references),
    "report, 1% new references, rankings postponed": Step(
        ["report"], environment={"MIRPIPE_RANKINGS_HOURS": "24"}
    ),
}
"""Measured commands by name, in order."""
_WITHOUT_VECTOR = text("""
    SELECT track_id FROM mirpipe.track t
    WHERE collection = :collection AND NOT EXISTS (
        SELECT FROM mirpipe.embedding v
        WHERE v.encoder_id = :encoder_id AND v.track_id = t.track_id)
    ORDER BY track_id LIMIT :most
""")
_COUNT = text("SELECT count(*) FROM mirpipe.track WHERE collection = :collection")
_LABELS = text("""
    UPDATE mirpipe.track SET labels = jsonb_build_object(
        'genre', 'g' || track_id % 20, 'instrument', 'i' || track_id % 7,
        'work', 'w' || track_id % 20000)
    WHERE NOT labels ? 'genre'
""")
_SIZE = text("SELECT pg_database_size(current_database())")
_WAL = text("SELECT pg_current_wal_lsn() - '0/0'")


def run() -> Rows:
    """Return name, value and unit of each measurement. For a million references: hours."""
    references = int(os.environ.get("REFERENCES", REFERENCES))
    return measure(references, int(os.environ.get("TARGETS", TARGETS)))


def measure(references: int, targets: int) -> Rows:
    """Return name, value and unit of each measurement of a library of this size."""
    folder = PROJECT / "var" / "bench" / f"library-{references}-{targets}"
    if not (folder / "backup.json").exists():  # A backup is only written to a new folder.
        shutil.rmtree(folder / "backup", ignore_errors=True)
    rows: Rows = []
    with kept_server(folder / "home"):
        _build(folder, references, targets)
        rows += _stored(folder / "size.json", _database_size)
        for name, step in STEPS.items():
            rows += _stored(
                folder / f"{name}.json", partial(_measure, name, step, folder, references)
            )
    rows += _stored(folder / "search.json", partial(search.run, references))
    return rows


def _build(folder: Path, references: int, targets: int) -> None:
    """Add the tracks, vectors, files and labels that are missing. Each batch is one transaction."""
    _add_tracks("reference", references)
    _add_tracks("target", targets)
    while add_files(folder / "files", most=BATCH):
        pass
    with engine("app").begin() as connection:
        connection.execute(_LABELS)


def _add_tracks(collection: Collection, size: int) -> None:
    """Add the tracks that the collection lacks, and the vectors that its tracks lack."""
    encoder_ids = {name: register_encoder(size, name) for name, size in DIMENSIONS.items()}
    first, *others = DIMENSIONS
    while (done := _count(collection)) < size:
        vectors = _vectors(done, min(BATCH, size - done), DIMENSIONS[first])
        add_tracks(encoder_ids[first], collection, vectors)
    for name in others:
        while track_ids := _without_vector(collection, encoder_ids[name]):
            vectors = _vectors(track_ids[0], len(track_ids), DIMENSIONS[name])
            add_vectors(encoder_ids[name], collection, track_ids, vectors)


def _vectors(seed: int, n: int, dimension: int) -> Float32:
    """Return n random vectors around the centres of the library, shape (n, dimension)."""
    centres = np.random.default_rng(0).standard_normal((500, dimension))
    return clustered_vectors(np.random.default_rng(seed + 1), centres, n)


def _count(collection: Collection) -> int:
    with engine("app").connect() as connection:
        return int(connection.execute(_COUNT, {"collection": collection}).scalar_one())


def _without_vector(collection: Collection, encoder_id: int) -> list[int]:
    parameters = {"collection": collection, "encoder_id": encoder_id, "most": BATCH}
    with engine("app").connect() as connection:
        return list(connection.execute(_WITHOUT_VECTOR, parameters).scalars())


def _stored(path: Path, measure: Callable[[], Rows]) -> Rows:
    """Return the stored rows of a measurement, or measure and store them."""
    if not path.exists():
        rows = measure()
        _, value, unit = rows[0]
        print(f"{path.parent.name}, {path.stem}: {value:.3g} {unit}", file=sys.stderr, flush=True)
        path.write_text(json.dumps(rows))
    return [(name, value, unit) for name, value, unit in json.loads(path.read_text())]


def _database_size() -> Rows:
    with engine("owner").connect() as connection:
        return [("size of the database", connection.execute(_SIZE).scalar_one() / 1e6, "MB")]


def _measure(name: str, step: Step, folder: Path, references: int) -> Rows:
    """Run a step's command, and return its time, memory and written bytes.

    The memory is sampled: the largest resident size of the command or of one of its programs, and
    the largest size of a server process without shared memory. The operating system's own maximum
    of a started process contains the memory of this one.
    """
    if step.prepare:
        step.prepare(references)
    arguments = [argument.format(folder=folder) for argument in step.arguments]
    close_engines()  # Their server processes would be counted.
    server = psutil.Process(embedded_server(folder / "home").pid)
    peak, of_server, has_ended = 0, 0, threading.Event()

    def sample() -> None:
        nonlocal peak, of_server
        while not has_ended.wait(SAMPLE_SECONDS):
            with suppress(psutil.Error):
                peak = max(peak, *(each.memory_info().rss for each in _with_programs(process.pid)))
            for each in server.children():
                with suppress(psutil.Error):
                    memory = each.memory_info()
                    of_server = max(of_server, memory.rss - memory.shared)

    wal, sampler, started = _wal_bytes(), threading.Thread(target=sample), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "mirpipe.cli.main", *arguments],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"MIRPIPE_RANKED_TARGETS": str(RANKED_TARGETS)} | step.environment,
    )
    sampler.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    has_ended.set()
    sampler.join()
    # The targets have no files, which `verify` reports by exit code 1.
    if os.waitstatus_to_exitcode(status) != (1 if arguments == ["verify"] else 0):
        raise RuntimeError(f"mirpipe {' '.join(arguments)} failed")
    return [
        (name, seconds, "s"),
        (f"{name}: the command", usage.ru_utime + usage.ru_stime, "CPU-s"),
        (f"{name}: the command, peak memory", peak / 1e6, "MB"),
        (f"{name}: a server process, peak memory", of_server / 1e6, "MB"),
        (f"{name}: written to the server's log", (_wal_bytes() - wal) / 1e6, "MB"),
    ]


def _with_programs(pid: int) -> list[psutil.Process]:
    """Return a process and the programs that it has started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _wal_bytes() -> int:
    with engine("owner").connect() as connection:
        return int(connection.execute(_WAL).scalar_one())

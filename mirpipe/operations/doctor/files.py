"""Whether tables and disk agree: files without a row, rows without a file."""

import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from mirpipe.db import health
from mirpipe.db.engine import engine
from mirpipe.db.migrate import current, head
from mirpipe.operations.doctor.database import is_up
from mirpipe.operations.doctor.finding import Finding, ok, problem, some, warning
from mirpipe.settings import settings

FRESH_SECONDS = 3600.0
"""A clip that is younger may be about to get its row."""


def check() -> Iterator[Finding]:
    """Clips and library files; nothing where there is no database that knows of them."""
    if not is_up() or current() != head():
        return
    with engine("reader").connect() as reader:
        yield from clips(reader)
        yield from library(reader)


def clips(connection: Connection) -> Iterator[Finding]:
    """Generated audio that no row knows, and rows whose audio is gone."""
    folder = settings().clips_folder
    recorded = set(health.recorded_files(connection, "generated"))
    lost = sorted(path.name for path in recorded if not path.is_file())
    unknown = sorted(path.name for path in _old_files(folder) if path not in recorded)
    if lost:
        remedy = "copy them back from a backup: its folder clips holds them by name"
        yield problem("clips", f"{len(lost)} of {len(recorded)} are gone: {some(lost)}", remedy)
    if unknown:
        said = f"{len(unknown)} in {folder} belong to no generation: {some(unknown)}"
        yield warning("clips", said, "a killed generation or another database left them: delete")
    if not lost and not unknown:
        yield ok("clips", f"all {len(recorded)} are there, and no others")


def library(connection: Connection) -> Iterator[Finding]:
    """References and targets whose file is gone since they were ingested."""
    for collection in ("reference", "target"):
        files = list(health.recorded_files(connection, collection))
        gone = sorted(str(path) for path in files if not path.exists())
        if gone:
            said = f"{len(gone)} of {len(files)} files are gone: {some(gone)}"
            remedy = f"mount their disk, or `mirpipe ingest FOLDER --collection {collection}`"
            yield warning(f"{collection}s", said, remedy)
        else:
            yield ok(f"{collection}s", f"all {len(files)} files are there")


def _old_files(folder: Path) -> Iterator[Path]:
    now = time.time()
    for path in folder.rglob("*"):
        if path.is_file() and now - path.stat().st_mtime > FRESH_SECONDS:
            yield path

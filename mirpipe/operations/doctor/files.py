"""Audio file checks: clips without a database row, and rows whose file is missing."""

from collections.abc import Iterator

from sqlalchemy import Connection

from mirpipe.db import health
from mirpipe.db.engine import engine
from mirpipe.db.migrate import can_read_revision, current, head
from mirpipe.db.schema_file_record import outdated_files
from mirpipe.errors import StorageUnavailable
from mirpipe.operations.doctor.database import is_up
from mirpipe.operations.doctor.finding import Finding, ok, problem, shorten, warning
from mirpipe.settings import settings
from mirpipe.storage.stored_files import missing_files, old_files

MIN_AGE_SECONDS = 3600.0
"""Minimum age at which a clip without a row is reported. The row of a newer clip may follow."""


def check() -> Iterator[Finding]:
    """Check clips and library files. Yields nothing if the database is down or not migrated."""
    if not is_up() or (can_read_revision() and current() != head()):
        return
    with engine("reader").connect() as reader:
        if outdated_files(reader):
            return
        try:
            yield from clips(reader)
            yield from library(reader)
        except StorageUnavailable as error:
            yield problem("storage", str(error), "then run `mirpipe doctor` again")


def clips(connection: Connection) -> Iterator[Finding]:
    """Check for clip files without a row and for rows without a clip file."""
    folder = settings().clips_folder
    recorded = set(health.recorded_files(connection, "generated"))
    missing = sorted(path.name for path in missing_files(recorded))
    unknown = sorted(path.name for path in set(old_files(folder, MIN_AGE_SECONDS)) - recorded)
    if missing:
        remedy = "copy them from the `clips` folder of a backup, where they have the same names"
        message = f"{len(missing)} of {len(recorded)} are missing: {shorten(missing)}"
        yield problem("clips", message, remedy)
    if unknown:
        message = f"{len(unknown)} files in {folder} have no row: {shorten(unknown)}"
        remedy = "delete them: they come from a killed generation or from another database"
        yield warning("clips", message, remedy)
    if not missing and not unknown:
        yield ok("clips", f"all {len(recorded)} exist, and each file has a row")


def library(connection: Connection) -> Iterator[Finding]:
    """Check for references and targets whose file is missing."""
    for collection in ("reference", "target"):
        files = list(health.recorded_files(connection, collection))
        missing = sorted(map(str, missing_files(files)))
        if missing:
            message = f"{len(missing)} of {len(files)} files are missing: {shorten(missing)}"
            remedy = f"mount their disk, or run `mirpipe ingest FOLDER --collection {collection}`"
            yield warning(f"{collection}s", message, remedy)
        else:
            yield ok(f"{collection}s", f"all {len(files)} files exist")

"""Dumps the schema mirpipe to a folder with one file per table, using several processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from mirpipe.available_cores import available_cores
from mirpipe.db.postgres_programs import owner_connection, program, run
from mirpipe.db.snapshot import open_snapshot
from mirpipe.errors import DatabaseError

_MOST_JOBS = 8
_COMPRESSIONS = ("zstd:1", "gzip:1")
"""In order of preference. Some builds of pg_dump do not support zstd."""


def jobs() -> int:
    """Return how many tables are dumped or loaded at the same time."""
    return min(_MOST_JOBS, available_cores())


@contextmanager
def snapshot() -> Iterator[tuple[Connection, str]]:
    """Open an owner connection with a snapshot of the database, and yield both.

    The snapshot is given by its name, which other connections can use to see the same snapshot.
    """
    with open_snapshot("owner") as connection:
        yield connection, str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def dump(folder: Path, *, moment: str) -> None:
    """Write the schema mirpipe, as of the snapshot `moment`, to a new folder in pg_dump's format.

    Raises DatabaseError if pg_dump is missing or fails.
    """
    name, environment = owner_connection()
    for compression in _COMPRESSIONS:
        command = [
            *(program("pg_dump"), f"--dbname={name}", "--format=directory", f"--jobs={jobs()}"),
            *(f"--compress={compression}", "--schema=mirpipe", f"--snapshot={moment}"),
            f"--file={folder}",
        ]
        try:
            run(command, environment)
        except DatabaseError as error:
            if compression == _COMPRESSIONS[-1] or "does not support compression" not in str(error):
                raise
        else:
            return

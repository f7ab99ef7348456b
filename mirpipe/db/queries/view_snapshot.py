"""Reads complete views from one snapshot of the database."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mirpipe.db.queries.view_descriptions import View, describe_views
from mirpipe.db.snapshot import open_snapshot

BATCH_ROWS = 10_000
"""Number of rows that are in memory at the same time."""
BATCH_VALUES = 1 << 20
"""Number of values of vectors that are in memory at the same time: 32 MiB as Python's floats."""


class Snapshot:
    """The state of the database at one moment. Later writes are not visible."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def taken_at(self) -> datetime:
        """Return the time of the snapshot, with its time zone."""
        taken_at: datetime = self._connection.execute(text("SELECT now()")).scalar_one()
        return taken_at

    def views(self) -> list[View]:
        """Return every view that readers can use, sorted by name. Vector views come last."""
        return describe_views(self._connection)

    def rows(self, view: View, casts: Sequence[str | None]) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield all rows of the view, in batches of at most `BATCH_ROWS`, or fewer with vectors.

        For each column, `casts` contains the SQL type to convert the column to, or None.
        """
        quoted = self._connection.dialect.identifier_preparer.quote
        columns = ", ".join(
            quoted(column.name)
            if sql_type is None
            else f"CAST({quoted(column.name)} AS {sql_type})"
            for column, sql_type in zip(view.columns, casts, strict=True)
        )
        query = text(f"SELECT {columns} FROM mirpipe.{quoted(view.name)}")
        rows = min(BATCH_ROWS, rows_per_batch(_dimension(view)))
        streamed = query.execution_options(stream_results=True, max_row_buffer=rows)
        with self._connection.execute(streamed) as result:
            yield from result.partitions(rows)


def rows_per_batch(dimension: int) -> int:
    """Return how many vectors of this dimension have BATCH_VALUES values."""
    return max(1, BATCH_VALUES // dimension)


def _dimension(view: View) -> int:
    """Return the largest dimension of a vector in the view, or 1 if it has no vectors."""
    types = (re.search(r"\bvector\((\d+)\)$", column.type) for column in view.columns)
    return max((int(found[1]) for found in types if found), default=1)


@contextmanager
def long_snapshot() -> Iterator[Connection]:
    """Open a snapshot with the read-only role, without a time limit."""
    with open_snapshot("reader") as connection:
        # Reading a large view can take longer than the time limit for readers.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        yield connection


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Open a snapshot of the views with the read-only role, without a time limit."""
    with long_snapshot() as connection:
        yield Snapshot(connection)

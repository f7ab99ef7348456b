"""The views that readers have: what is in them, in words, and all of their rows in one snapshot."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mirpipe.db.engine import engine

BATCH = 10_000
"""Rows that are in memory at once."""


@dataclass(frozen=True)
class Column:
    """A column as the database has it; `comment` is empty where nobody wrote one."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class View:
    """A view with stable name; `vectors` marks one of a single encoder's vectors."""

    name: str
    comment: str
    vectors: bool
    columns: list[Column]


_VIEWS = text(r"""
    SELECT c.relname AS name, coalesce(obj_description(c.oid), '') AS comment,
        c.relname ~ '^v_embedding_\d+$' AS vectors,
        jsonb_agg(jsonb_build_object('name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'comment', coalesce(col_description(c.oid, a.attnum), '')) ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'v\_%'
        AND has_table_privilege(c.oid, 'SELECT')
    GROUP BY c.oid, c.relname ORDER BY length(regexp_replace(c.relname, '\D', '', 'g')), c.relname
""")


class Snapshot:
    """The database as it is at one moment, whatever is written meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def taken_at(self) -> datetime:
        """The moment."""
        moment: datetime = self._connection.execute(text("SELECT now()")).scalar_one()
        return moment

    def views(self) -> list[View]:
        """Every view by name, those of vectors last."""
        return [
            View(row.name, row.comment, row.vectors, [Column(**one) for one in row.columns])
            for row in self._connection.execute(_VIEWS)
        ]

    def rows(self, view: View, cast: Sequence[str | None]) -> Iterator[Sequence[Sequence[Any]]]:
        """All rows, up to BATCH at a time; `cast` names a type to ask a column as, by column."""
        name = self._connection.dialect.identifier_preparer.quote
        asked = ", ".join(
            name(column.name) if to is None else f"CAST({name(column.name)} AS {to})"
            for column, to in zip(view.columns, cast, strict=True)
        )
        query = text(f"SELECT {asked} FROM mirpipe.{name(view.name)}")
        streamed = query.execution_options(stream_results=True, max_row_buffer=BATCH)
        with self._connection.execute(streamed) as result:
            yield from result.partitions(BATCH)


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """A snapshot as the role that only reads, for as long as it takes."""
    connection = engine("reader").connect().execution_options(isolation_level="REPEATABLE READ")
    with connection, connection.begin():
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large view takes its time
        yield Snapshot(connection)

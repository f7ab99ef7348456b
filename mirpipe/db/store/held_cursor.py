"""Reads a long query result in blocks, without a transaction that stays open.

A transaction that is open for hours keeps Postgres from removing old row versions. SQLAlchemy has
no interface for cursors WITH HOLD, so psycopg2's is used.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from itertools import count
from typing import Any

from sqlalchemy import Connection

from mirpipe.db.engine import engine

_numbers = count()


def held_rows(
    query: str,
    parameters: Mapping[str, object],
    *,
    block: int,
    connection: Connection | None = None,
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a query in blocks of at most `block` rows.

    The query runs once, and Postgres stores its result until the last block is read. `query` has
    psycopg2's placeholders, such as `%(name)s`. The query runs on `connection`, which must commit
    each statement, or on a connection of its own.
    """
    with nullcontext(connection) if connection else _own_connection() as used:
        name = f"held_{next(_numbers)}"
        with closing(used.connection.cursor(name=name, withhold=True)) as cursor:
            cursor.execute(query, parameters)
            while rows := cursor.fetchmany(block):
                yield list(rows)


def _own_connection() -> Connection:
    return engine("app").connect().execution_options(isolation_level="AUTOCOMMIT")

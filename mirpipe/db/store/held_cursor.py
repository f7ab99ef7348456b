"""Reads a long query result in blocks, without a transaction that stays open.

A transaction that is open for hours keeps Postgres from removing old row versions. SQLAlchemy has
no interface for cursors WITH HOLD, so psycopg2's is used.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from mirpipe.db.engine import engine


def held_rows(
    query: str, parameters: Mapping[str, object], *, block: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a query in blocks of at most `block` rows.

    The query runs once, and Postgres stores its result until the last block is read. `query` has
    psycopg2's placeholders, such as `%(name)s`.
    """
    with engine("app").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        with closing(connection.connection.cursor(name="held", withhold=True)) as cursor:
            cursor.execute(query, parameters)
            while rows := cursor.fetchmany(block):
                yield list(rows)

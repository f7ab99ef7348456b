"""Opens transactions that see one state of the database for as long as the caller needs it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from mirpipe.db.engine import PipelineRole, engine


@contextmanager
def open_snapshot(role: PipelineRole) -> Iterator[Connection]:
    """Yield a connection with a transaction in which later writes by others are not visible.

    The transaction ends with the `with` block: it is committed, or rolled back after an error. It
    can be idle for any length of time, for example while pg_dump reads the same snapshot.
    """
    connection = engine(role).connect().execution_options(isolation_level="REPEATABLE READ")
    with connection, connection.begin():
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection

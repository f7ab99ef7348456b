"""Leases by name across processes and machines, held by a database session."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from mirpipe.db.engine import engine


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Holds the lease `mirpipe.<name>`; waits while another process has it.

    It falls with the session, so a killed process leaves nothing behind. Take it before the
    transaction that relies on it: a snapshot taken while waiting would be stale.
    """
    key = {"name": f"mirpipe.{name}"}
    with engine("app").connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), key)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)

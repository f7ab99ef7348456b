"""Leases by name across processes and machines, held by a database session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text

from mirpipe.db.engine import engine

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_TAKE = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_RELEASE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def exclusive(name: str, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Holds the lease `mirpipe.<name>`; waits while another process has it, and calls `waiting`.

    It falls with the session, so a killed process leaves nothing behind. Take it before the
    transaction that relies on it: a snapshot taken while waiting would be stale.
    """
    key = {"name": f"mirpipe.{name}"}
    with engine("app").connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        if not connection.execute(_TRY, key).scalar_one():
            if waiting:
                waiting()
            connection.execute(_TAKE, key)
        try:
            yield
        finally:
            connection.execute(_RELEASE, key)

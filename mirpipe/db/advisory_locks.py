"""Leases by name across processes and machines, held by a database session."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import text

from mirpipe.db.engine import engine

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_TAKE = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_RELEASE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Holds the lease `mirpipe.<name>`; waits while another process has it.

    It falls with the session, so a killed process leaves nothing behind. Take it before the
    transaction that relies on it: a snapshot taken while waiting would be stale.
    """
    with one_of([name]):
        yield


@contextmanager
def one_of(names: Sequence[str], *, waiting: Callable[[], None] | None = None) -> Iterator[str]:
    """Holds the first of these leases that is free; gives its name.

    Where others have them all, it calls `waiting` and waits for the first.
    """
    with engine("app").connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        for name in names:
            if connection.execute(_TRY, _key(name)).scalar_one():
                break
        else:
            name = names[0]
            if waiting:
                waiting()
            connection.execute(_TAKE, _key(name))
        try:
            yield name
        finally:
            connection.execute(_RELEASE, _key(name))


def _key(name: str) -> dict[str, str]:
    return {"name": f"mirpipe.{name}"}

"""Named locks that work across processes and machines: Postgres advisory locks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from mirpipe.db.engine import engine
from mirpipe.errors import DatabaseError

_MAY_LOCK = text("SELECT has_function_privilege('pg_try_advisory_lock(bigint)', 'EXECUTE')")
_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_LOCK = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def hold_lock(name: str) -> Iterator[None]:
    """Hold the lock `mirpipe.<name>`. Wait while another process holds it.

    Postgres releases the lock when the session ends, for example because the process was killed.
    Take the lock before beginning a transaction that depends on it. Otherwise the transaction could
    read the tables as they were before it waited for the lock.
    """
    with hold_first_free_lock([name]):
        yield


@contextmanager
def hold_first_free_lock(
    names: Sequence[str], *, on_wait: Callable[[], None] | None = None
) -> Iterator[str]:
    """Hold the first of these locks that is free, and yield its name.

    If other processes hold all of the locks, call `on_wait` and wait for the first lock in the
    list. Raises DatabaseError if this database login may only read.
    """
    with engine("app").connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        _require_privilege(connection)
        for name in names:
            if connection.execute(_TRY_LOCK, _parameters(name)).scalar_one():
                break
        else:
            name = names[0]
            if on_wait:
                on_wait()
            connection.execute(_LOCK, _parameters(name))
        try:
            yield name
        finally:
            connection.execute(_UNLOCK, _parameters(name))


def _require_privilege(connection: Connection) -> None:
    """Raise DatabaseError if the role of this session is not allowed to use locks."""
    if not connection.execute(_MAY_LOCK).scalar_one():
        raise DatabaseError(
            "This database login may only read, so it cannot reserve a GPU or start a stage. Set "
            "MIRPIPE_DATABASE_URL to the pipeline's login. To search with the CPU, set "
            "MIRPIPE_DEVICE=cpu."
        )


def _parameters(name: str) -> dict[str, str]:
    return {"name": f"mirpipe.{name}"}

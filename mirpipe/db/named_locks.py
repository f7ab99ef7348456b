"""Named locks that work across processes and machines, and that a reader cannot take.

Each lock is an empty table, which a process locks with LOCK TABLE until its transaction ends.
Advisory locks would be open to every role that can connect to the database (docs/adr/0015).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import OperationalError

from mirpipe.db.engine import engine
from mirpipe.errors import DatabaseError

_MAY_LOCK = text("SELECT has_function_privilege('mirpipe.lock_table(text)', 'EXECUTE')")
_TABLE = text("SELECT mirpipe.lock_table(:name)")
# The session is idle while its process works. These settings would end the session.
_ALLOW_LONG_TRANSACTION = text("""
    SELECT set_config(name, '0', true) FROM pg_settings
    WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
""")


@contextmanager
def hold_lock(name: str) -> Iterator[None]:
    """Hold the lock `name`. Wait while another process holds it.

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
        _require_privilege(connection)
        tables = {name: _table(connection, name) for name in names}
        # Creating a table gives a transaction an id, and vacuum keeps the rows that later
        # transactions delete. The transaction that holds the lock must have no id.
        connection.commit()
        free = (name for name in names if _try_lock(connection, tables[name]))
        name = next(free, None)
        if name is None:
            name = names[0]
            if on_wait:
                on_wait()
            connection.execute(_ALLOW_LONG_TRANSACTION)
            connection.execute(_lock(tables[name]))
        try:
            yield name
        finally:
            connection.rollback()


def lock_until_transaction_ends(connection: Connection, name: str) -> None:
    """Take the lock `name` in the connection's transaction. Wait while another process holds it."""
    # A table that this transaction creates would keep others waiting until the transaction ends.
    with engine("app").begin() as other:
        table = _table(other, name)
    connection.execute(_lock(table))


def _require_privilege(connection: Connection) -> None:
    """Raise DatabaseError if the role of this session is not allowed to use locks."""
    if not connection.execute(_MAY_LOCK).scalar_one():
        raise DatabaseError(
            "This database login may only read, so it cannot reserve a GPU or start a stage. Set "
            "MIRPIPE_DATABASE_URL to the pipeline's login. To search with the CPU, set "
            "MIRPIPE_DEVICE=cpu."
        )


def _table(connection: Connection, name: str) -> str:
    """Return the table of the lock. Create the table if it is missing."""
    return str(connection.execute(_TABLE, {"name": name}).scalar_one())


def _try_lock(connection: Connection, table: str) -> bool:
    """Take the lock and return True, or return False if another process holds it."""
    connection.execute(_ALLOW_LONG_TRANSACTION)
    try:
        connection.execute(text(f"{_lock(table)} NOWAIT"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        connection.rollback()
        return False
    return True


def _lock(table: str) -> TextClause:
    return text(f"LOCK TABLE {table} IN EXCLUSIVE MODE")

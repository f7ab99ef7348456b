"""Waits until another process or database session has reached a given state."""

import time
from collections.abc import Callable

from sqlalchemy import Engine, text

_WAITING = text(
    # Only pg_locks shows the waiting sessions of every role.
    "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE NOT granted AND datname = current_database()"
)


def eventually(
    condition: Callable[[], object], *, seconds: float = 30, every: float = 0.02
) -> None:
    """Wait until the condition is true. Fail the test if the wait takes longer than `seconds`.

    `every` is the time between two checks, in seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition is not true after {seconds:g} s"
        time.sleep(every)


def sessions_waiting(engine: Engine) -> int:
    """Return the number of sessions in the engine's database that are waiting for a lock."""
    with engine.connect() as connection:
        return int(connection.execute(_WAITING).scalar_one())

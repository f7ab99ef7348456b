"""Waits until another process or database session has reached a state."""

import time
from collections.abc import Callable

from sqlalchemy import Engine, text

_WAITING = text(
    # Only pg_locks shows the waiting sessions of all roles.
    "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE NOT granted AND datname = current_database()"
)


def eventually(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait until the condition is true. Fail the test if that takes more than `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition is not true after {seconds:g} s"
        time.sleep(0.02)


def sessions_waiting(engine: Engine) -> int:
    """Return how many sessions of the engine's database wait for a lock."""
    with engine.connect() as connection:
        return int(connection.execute(_WAITING).scalar_one())

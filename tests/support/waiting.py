"""Waiting for what another process or session does, on its condition."""

import time
from collections.abc import Callable

from sqlalchemy import Engine, text

_WAITING = text(
    # what a session of another role waits for, only pg_locks tells everybody
    "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE NOT granted AND datname = current_database()"
)


def eventually(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Waits until the condition holds; fails the test where it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def sessions_waiting(engine: Engine) -> int:
    """How many sessions of the engine's database wait for a lock."""
    with engine.connect() as connection:
        return int(connection.execute(_WAITING).scalar_one())

"""Wait until a condition becomes true, with a time limit."""

import time
from collections.abc import Callable

from mirpipe.errors import MirpipeError


def wait_until(
    condition: Callable[[], bool],
    *,
    seconds: float,
    problem: str,
    require_alive: Callable[[], None],
) -> None:
    """Return as soon as the condition is true.

    Raises MirpipeError after `seconds`. The message starts with `problem`, for example "Airflow did
    not start". `require_alive` is called between the attempts, and raises an error if further
    waiting is useless.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        require_alive()
        if time.monotonic() > deadline:
            raise MirpipeError(
                f"{problem} within {seconds:g} s. The log files in the folder `logs` of "
                "MIRPIPE_HOME may show the cause."
            )
        time.sleep(0.2)

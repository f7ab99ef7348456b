"""Lock on a mirpipe home folder, held by the `mirpipe up` that uses the folder."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

from mirpipe.errors import MirpipeError

UP_IS_RUNNING = "`mirpipe up` is running"
"""Start of what other commands and the dashboard say about it."""


class AlreadyRunning(MirpipeError):
    """`mirpipe up` is already running in this home folder."""


def record_file(home: Path) -> Path:
    """Return the JSON file in which a running `mirpipe up` describes itself.

    The file is deleted when `mirpipe up` ends, so it remains only if that process was killed.
    """
    return home / "up.json"


@contextlib.contextmanager
def hold_lock(home: Path) -> Iterator[None]:
    """Hold the lock on the home folder. Raises AlreadyRunning if another process holds it."""
    with _lock_file(home).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"`mirpipe up` is already running in {home}{_running_process(home)}. Stop it with "
                "Ctrl-C in its terminal, or set MIRPIPE_HOME to another folder."
            ) from None
        yield


def is_up_running(home: Path) -> bool:
    """Return whether a `mirpipe up` is running in this home folder."""
    if not record_file(home).exists():
        return False  # Trying the lock could make a `mirpipe up` fail that is just starting.
    try:
        with _lock_file(home).open("r+") as lock:
            # A shared lock, because several processes may ask at the same time.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def was_up_killed(home: Path) -> bool:
    """Return whether the last `mirpipe up` in this home folder was killed.

    If it was killed, its servers may still be running.
    """
    return record_file(home).exists() and not is_up_running(home)


def _lock_file(home: Path) -> Path:
    return home / "up.lock"


def _running_process(home: Path) -> str:
    """Return the process id from the record file, as part of a sentence, or an empty string."""
    try:
        return f" as process {json.loads(record_file(home).read_text())['pid']}"
    except (OSError, ValueError, KeyError):
        return ""

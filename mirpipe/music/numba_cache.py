"""A cache of numba's compiled functions that no other running process writes to.

Two processes that compile the same `guvectorize` function at once may leave a cache that makes
every later one die of a segmentation fault (numba issue 10128), and stages do run side by side. So
each process has a folder of its own while it lives, and takes over one that nobody uses any more.
"""

import fcntl
import itertools
import os
import tempfile
from pathlib import Path

import platformdirs

VARIABLE = "NUMBA_CACHE_DIR"

_held: list[int] = []


def claim_cache(root: Path | None = None) -> None:
    """Has numba, which must not be imported yet, keep its cache where this process alone does.

    A folder that the user chose stays; one that was inherited from a parent of ours does not.
    """
    root = root or platformdirs.user_cache_path("mirpipe") / "numba"
    chosen = os.environ.get(VARIABLE)
    if _held or (chosen and not Path(chosen).is_relative_to(root)):
        return
    for number in itertools.count():
        folder = root / str(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # a home that cannot be written
            os.environ[VARIABLE] = tempfile.mkdtemp(prefix="mirpipe-numba-")
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        _held.append(lock)  # open, and so locked, until the process ends
        os.environ[VARIABLE] = str(folder)
        return

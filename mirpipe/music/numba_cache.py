"""A cache folder for numba's compiled functions that no other running process uses.

If two processes compile the same `guvectorize` function at the same time, they may leave a broken
cache, with which every later process crashes by a segmentation fault (numba issue 10128). Stages do
run in parallel. So each running process gets its own folder, and reuses a folder of a process that
has ended.
"""

import fcntl
import itertools
import os
import tempfile
from pathlib import Path

import platformdirs

VARIABLE = "NUMBA_CACHE_DIR"
"""Environment variable from which numba reads its cache folder."""

_locks: list[int] = []
"""File descriptors of the locks of this process."""


def claim_cache(root: Path | None = None) -> None:
    """Give numba a cache folder that only this process uses. Call it before importing numba.

    `root` contains the folders of all processes. A folder that the user chose by NUMBA_CACHE_DIR is
    kept. A folder that was inherited from a parent process of mirpipe is replaced.
    """
    root = root or platformdirs.user_cache_path("mirpipe") / "numba"
    current = os.environ.get(VARIABLE)
    if _locks or (current and not Path(current).is_relative_to(root)):
        return
    for number in itertools.count():
        folder = root / str(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # The cache folder of the user is not writable.
            os.environ[VARIABLE] = tempfile.mkdtemp(prefix="mirpipe-numba-")
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        _locks.append(lock)  # The lock is held until the process ends.
        os.environ[VARIABLE] = str(folder)
        return

"""Gives every running process its own cache folder for numba's compiled functions.

If two processes compile the same `guvectorize` function at the same time, they may leave a broken
cache that makes every later process crash with a segmentation fault (numba issue 10128). Because
mirpipe stages run in parallel, each running process uses its own folder. A folder can be reused
after its process has ended.
"""

import fcntl
import itertools
import os
import tempfile
from pathlib import Path

import platformdirs

VARIABLE = "NUMBA_CACHE_DIR"
"""Environment variable that tells numba which cache folder to use."""

LOCK_FILE = "lock"
"""File in a cache folder that the process using the folder has locked."""

_locks: list[int] = []
"""File descriptors of this process's lock files."""
_folder: Path | None = None


def claim_cache(root: Path | None = None) -> None:
    """Give numba a cache folder that only this process uses. Call this before importing numba.

    `root` contains the folders of all processes. A folder that the user has set in NUMBA_CACHE_DIR
    is kept. A folder that was inherited from a mirpipe parent process is replaced.
    """
    global _folder
    os.environ.setdefault("NUMBA_OPT", "1")  # takes 4 s less to compile, and is not slower
    root = root or platformdirs.user_cache_path("mirpipe") / "numba"
    current = os.environ.get(VARIABLE)
    if _locks or (current and not Path(current).is_relative_to(root)):
        return
    for number in itertools.count():
        folder = root / str(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # The user's cache folder is not writable.
            os.environ[VARIABLE] = tempfile.mkdtemp(prefix="mirpipe-numba-")
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        _locks.append(lock)  # The lock is held until the process ends.
        os.environ[VARIABLE] = str(folder)
        _folder = folder
        return


def claimed_folder() -> Path | None:
    """Return the cache folder that `claim_cache` gave to this process, or None if it gave none."""
    return _folder

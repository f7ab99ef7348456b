"""The folder for an engine's data, outside the repository, and what killed sessions left there."""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PREFIX = "mirpipe-containers-"


@contextmanager
def work_folder() -> Iterator[Path]:
    """Yield a new folder that all users can enter. Delete it, and folders of killed sessions.

    A session holds a lock on its folder, so folders of running sessions are kept.
    """
    for other in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with (other / "alive").open("a") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if not _is_engine_running(other):
                _delete(other)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o755)
    with (folder / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            _delete(folder)


def _is_engine_running(folder: Path) -> bool:
    """Return whether the engine of a killed session is still stopping its containers."""
    file = folder / "dockerd.pid"
    return file.exists() and psutil.pid_exists(int(file.read_text()))


def _delete(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if mount.startswith(f"{folder}/"):
            subprocess.run(["umount", mount], check=False)
    shutil.rmtree(folder)

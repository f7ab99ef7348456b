"""Whether the server of a data directory lives, by what the kernel knows and not by a bare pid.

The server and all its children inherit a file on which the launcher took a lock; the kernel frees
it when the last of them is gone. A pid in `postmaster.pid` may be dead, a zombie or another's.
"""

import contextlib
import fcntl
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Postmaster:
    """A living server, as its `postmaster.pid` describes it."""

    pid: int
    port: int
    socket: Path
    tcp: bool
    ready: bool
    """It accepts connections: it is neither starting, nor recovering, nor stopping."""


def claim(lock: Path) -> int:
    """A file descriptor that holds the server's lock, to be inherited by the server."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def occupied(lock: Path) -> bool:
    """Whether any process of the server that inherited the lock is alive."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def postmaster(data: Path) -> Postmaster | None:
    """The living server of `data`, None where there is none or its pid is not its own."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    lines += [""] * (8 - len(lines))
    if not _serves(pid, data):
        return None
    return Postmaster(
        pid, port, Path(lines[4]), bool(lines[5].strip()), lines[7].strip() == "ready"
    )


def _serves(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        try:
            return process.cwd() == os.path.realpath(data)  # a zombie has none
        except psutil.AccessDenied:  # root in a container may not look at another user's process
            return (
                process.name() == "postgres"
                and process.uids().real == data.stat().st_uid
                and process.status() != psutil.STATUS_ZOMBIE
            )
    except psutil.Error:
        return False


def end_orphans(data: Path) -> None:
    """Tell the children of a killed server to quit at once, as the server would have done.

    A child in a long query notices late that its server is gone, and holds the shared memory.
    Children whose server lives, though its pid is written nowhere, are left alone.
    """
    real = os.path.realpath(data)
    children = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, IndexError):
            if process.cwd() == real:
                if not process.cmdline()[0].startswith("postgres: "):
                    return
                children.append(process)
    for child in children:
        with contextlib.suppress(psutil.Error):
            child.send_signal(signal.SIGQUIT)

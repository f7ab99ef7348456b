"""Checks whether the server of a data folder is alive or was killed.

The pid in the file postmaster.pid does not prove that the server is alive: after a kill, the pid
may belong to a zombie or to another process. `running_server` therefore also examines the process
with that pid.

A killed server can leave child processes that are still alive. The server and its child processes
inherit a file descriptor that holds a lock. The kernel releases the lock when the last of these
processes has ended. `is_server_lock_held` checks whether the lock is still held.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from mirpipe.errors import DatabaseError


@dataclass(frozen=True)
class RunningServer:
    """A server that is alive, as described by its file postmaster.pid."""

    pid: int
    port: int
    socket: Path
    """Folder that contains the Unix socket."""
    has_tcp: bool
    """Whether the server also listens on 127.0.0.1."""
    is_ready: bool
    """Whether the server accepts connections. False while it starts, recovers or stops."""


def running_server(data: Path) -> RunningServer | None:
    """Return the server of the data folder, or None if no server is alive.

    Raises DatabaseError if this user is not allowed to read the folder.
    """
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    except PermissionError as error:
        raise DatabaseError(
            f"{error.filename} belongs to another user. Run mirpipe as that user, or set "
            "MIRPIPE_HOME to a folder of your own."
        ) from error
    lines += [""] * (8 - len(lines))
    if not _is_server_process(pid, data):
        return None
    return RunningServer(
        pid,
        port,
        Path(lines[4]),
        has_tcp=bool(lines[5].strip()),
        is_ready=lines[7].strip() == "ready",
    )


def _is_server_process(pid: int, data: Path) -> bool:
    """Return whether the process is the server of `data`, not a zombie or another process."""
    try:
        process = psutil.Process(pid)
        try:
            # The server's working directory is its data folder. A zombie has no working directory.
            return process.cwd() == os.path.realpath(data)
        except psutil.AccessDenied:
            # In a container, root may be unable to read the working directory of another user's
            # process.
            return (
                process.name() == "postgres"
                and process.uids().real == data.stat().st_uid
                and process.status() != psutil.STATUS_ZOMBIE
            )
    except psutil.Error:
        return False


def acquire_server_lock(lock_file: Path) -> int:
    """Lock the file, and return the file descriptor that the new server must inherit."""
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def is_server_lock_held(lock_file: Path) -> bool:
    """Return whether the server, or a child process that inherited its lock, is alive."""
    try:
        descriptor = os.open(lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False

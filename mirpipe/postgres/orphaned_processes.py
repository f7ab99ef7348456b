"""Ends the child processes that remain after a Postgres server was killed."""

import contextlib
import os
import signal
from pathlib import Path

import psutil


def end_orphans(data: Path) -> None:
    """Send SIGQUIT to the child processes of a killed server, so that they end immediately.

    A child process that is executing a long query does not notice that its server was killed. Until
    the child ends, it uses the shared memory that a new server needs. This function does nothing if
    the server is alive, because the caller cannot detect a server that has just started and has not
    written its pid yet.
    """
    working_directory = os.path.realpath(data)
    children = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, IndexError):
            if process.cwd() == working_directory:
                # Only child processes have this name. A process without it is the server itself.
                if not process.cmdline()[0].startswith("postgres: "):
                    return
                children.append(process)
    for child in children:
        with contextlib.suppress(psutil.Error):
            child.send_signal(signal.SIGQUIT)

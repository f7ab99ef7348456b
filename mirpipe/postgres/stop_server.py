"""Stops a Postgres server and all its processes."""

import contextlib
import os
import signal
import time

from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import is_server_lock_held, running_server
from mirpipe.postgres.socket_folder import remove_socket_folder
from mirpipe.postgres.wait_for_server import wait_a_moment

FAST_SHUTDOWN_SECONDS = 60.0
"""Time that Postgres is given to write all changed data to disk, in seconds."""


def stop_server(files: ServerFiles, *, timeout: float) -> None:
    """Stop the server and wait until all its processes have ended. Rolls back open transactions.

    First requests a fast shutdown. If that takes more than 60 s, requests an immediate shutdown,
    after which the next start recovers the data. `timeout` is the total time in seconds. Raises
    DatabaseError, with the end of the log, if a process is still alive after that time.
    """
    start = time.monotonic()
    last_signal = None
    while (server := running_server(files.data)) or is_server_lock_held(files.server_lock):
        is_fast = time.monotonic() < start + FAST_SHUTDOWN_SECONDS
        shutdown = signal.SIGINT if is_fast else signal.SIGQUIT
        # A server that has just started has not written its pid yet. It is signalled in a later
        # iteration.
        if server and (server.pid, shutdown) != last_signal:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, shutdown)
            last_signal = (server.pid, shutdown)
        problem = f"did not stop within {timeout:g} s"
        wait_a_moment(files, deadline=start + timeout, problem=problem)
    remove_socket_folder(files.cluster)

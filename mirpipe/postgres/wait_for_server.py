"""Waits briefly while a server starts or stops, and ends orphaned processes that block it."""

import time

from mirpipe.errors import DatabaseError
from mirpipe.postgres.orphaned_processes import end_orphans
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import running_server
from mirpipe.postgres.server_log import end_of_log

_PAUSE_SECONDS = 0.02


def wait_a_moment(files: ServerFiles, *, deadline: float, problem: str) -> None:
    """Sleep for 20 ms. If no server is alive, first end the processes that a killed server left.

    `deadline` is a `time.monotonic()` value. If the deadline has passed, raises DatabaseError with
    `problem` (such as "did not stop within 60 s") and the end of the log.
    """
    if time.monotonic() > deadline:
        raise DatabaseError(
            f"The embedded Postgres {problem}. Look for the cause in its log, and run the command "
            f"again.\n{end_of_log(files.cluster)}"
        )
    if not running_server(files.data):
        end_orphans(files.data)
    time.sleep(_PAUSE_SECONDS)

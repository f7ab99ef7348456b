"""Mark the processes of one `mirpipe up`, and kill all processes that have a given mark.

The mark is an environment variable, which child processes inherit. It identifies the processes of
a killed `mirpipe up`. Process ids would not identify them reliably, because the system can assign
the id of an ended process to another process.
"""

import contextlib
import os
import time

import psutil

from mirpipe.errors import MirpipeError

MARK = "MIRPIPE_UP_MARK"
"""Name of the environment variable that contains the mark."""


def kill_marked(mark: str) -> None:
    """Kill every process with this mark except the current process, until none is left.

    Raises MirpipeError if a marked process is still alive after 10 s.
    """
    deadline = time.monotonic() + 10
    while marked := [process for process in psutil.process_iter() if _has_mark(process, mark)]:
        if time.monotonic() > deadline:
            process_ids = ", ".join(str(process.pid) for process in marked)
            raise MirpipeError(
                f"Cannot stop the processes {process_ids} that `mirpipe up` started. "
                "Stop these processes by hand."
            )
        for process in marked:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(marked, timeout=1)


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False

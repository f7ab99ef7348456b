"""The address under which Airflow's API server reaches the machine of a worker.

Airflow's option `hostname_callable` names this function. Airflow stores its result with each task,
and asks this address for the task's log if the log is not in the API server's own folder.
"""

import os
import socket


def worker_address() -> str:
    """Return WORKER_ADDRESS; if it is not set, return this machine's host name."""
    return os.environ.get("WORKER_ADDRESS") or socket.gethostname()

"""Starts, queries and kills embedded servers for tests, and finds their processes."""

import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import psutil

from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.waiting import eventually

START_SERVER = """
import pathlib, sys
from mirpipe.db.embedded_server_roles import embedded_server
server = embedded_server(pathlib.Path(sys.argv[1]))
server.up()
"""


def up_in_a_child(home: Path, then: str = "") -> subprocess.Popen[str]:
    """Start the server of `home` in a new process, which then runs the Python code in `then`."""
    return subprocess.Popen(
        [sys.executable, "-c", START_SERVER + then, home],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def query(server: EmbeddedPostgres, sql_text: str, database: str = "mirpipe") -> object:
    """Run the statement as superuser. Return the first value of the first row, or None."""
    with closing(server.connect(database)) as connection, connection.cursor() as sql:
        sql.execute(sql_text)
        row = sql.fetchone() if sql.description else None
        return row[0] if row else None


def processes(server: EmbeddedPostgres) -> list[psutil.Process]:
    """Return all processes whose working directory is the server's data folder."""
    server_processes = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd().startswith(str(server.data)):
                server_processes.append(process)
    return server_processes


def kill_9(server: EmbeddedPostgres) -> int:
    """Kill the server, but not its child processes. Return the server's former pid."""
    pid = server.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid))
    return pid


def is_alive(pid: int) -> bool:
    """Return whether the process exists and is not a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

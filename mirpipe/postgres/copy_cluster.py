"""Copies the content of an old cluster to a new one, and compares both."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.postgres.carry_settings import append_settings, settings_in_file, unknown_settings
from mirpipe.postgres.copy_databases import copy_databases
from mirpipe.postgres.copy_programs import programs_folder_for
from mirpipe.postgres.create_cluster import ensure_cluster
from mirpipe.postgres.database_contents import (
    Connect,
    Contents,
    closed_databases,
    database_contents,
    differences,
    open_databases,
)
from mirpipe.postgres.installed_programs import programs_folder
from mirpipe.postgres.os_account import require_account, run_as_account
from mirpipe.postgres.server_files import ServerFiles
from mirpipe.postgres.start_server import start_server
from mirpipe.postgres.stop_server import stop_server
from mirpipe.postgres.superuser_connection import require_running, superuser_connection

_READ_ONLY = {"default_transaction_read_only": "on", "autovacuum": "off"}
# The new data is flushed to disk once, when it is complete.
_FAST_LOAD = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "512MB",
}


def copy_cluster(
    old: ServerFiles,
    new: ServerFiles,
    *,
    old_programs: Path,
    password: str,
    timeout: float,
    show: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> tuple[Contents, list[str]]:
    """Create the cluster `new` with the roles, databases and settings of the stopped `old` one.

    When this function returns, the rows of both have been compared, the new cluster is on disk, and
    no server is running. Returns the contents, and what was left out: databases that accept no
    connections, and settings that the new version does not have. Raises DatabaseError if the copy
    fails or differs.
    """
    with _running(old, password, timeout, _READ_ONLY, programs=old_programs) as connect:
        show("Postgres has started with the old data, read-only")
        contents = database_contents(connect)
        tables = sum(rows is not None for rows, _ in contents.values())
        show(f"the rows of {tables} tables are counted and hashed")
        ensure_cluster(new, password=password)
        with _running(new, password, timeout, _FAST_LOAD) as connect_new:
            show("a new, empty Postgres has started")
            numbers = count(1)
            copy_databases(
                programs_folder(),
                require_running(old),
                require_running(new),
                password=password,
                table_started=lambda: progress(next(numbers), tables),
            )
            _analyze(connect_new)
            settings, left_out = _settings_and_left_out(connect, connect_new)
            show("all roles and databases are copied")
    append_settings(new.data, settings)
    with _running(new, password, timeout, _READ_ONLY) as connect_new:
        if different := differences(contents, database_contents(connect_new)):
            raise DatabaseError(
                f"The copy differs from the old data in {len(different)} tables or sequences: "
                f"{', '.join(different[:10])}. Please report this as a mirpipe bug."
            )
        show("the new Postgres has the same rows")
    _flush(new)
    return contents, left_out


@contextmanager
def _running(
    files: ServerFiles,
    password: str,
    timeout: float,
    settings: Mapping[str, str],
    *,
    programs: Path | None = None,
) -> Iterator[Connect]:
    """Start the server, yield a function that connects to a database, and stop the server."""
    try:
        start_server(files, timeout=timeout, programs=programs, settings=settings)
        yield partial(superuser_connection, files, password=password)
    finally:
        stop_server(files, timeout=timeout)


def _analyze(connect: Connect) -> None:
    """Collect statistics for the query planner, which a dump does not contain, and checkpoint."""
    for database in open_databases(connect):
        with closing(connect(database)) as connection, connection.cursor() as sql:
            sql.execute("ANALYZE")
            sql.execute("CHECKPOINT")  # It can take longer than a stop may take.


def _settings_and_left_out(old: Connect, new: Connect) -> tuple[dict[str, str], list[str]]:
    """Return the settings for the new server, and what is not copied."""
    with closing(old("postgres")) as connection:
        settings = settings_in_file(connection)
    with closing(new("postgres")) as connection:
        unknown = unknown_settings(connection, settings)
    left_out = [
        f"the database {name}, which accepts no connections" for name in closed_databases(old)
    ]
    left_out += [f"the setting {name} = '{settings.pop(name)}'" for name in unknown]
    return settings, left_out


def _flush(new: ServerFiles) -> None:
    """Flush all files of the new data to disk. Raises DatabaseError if that fails."""
    account = require_account(new.cluster)
    command: list[str | Path] = [programs_folder_for(account) / "initdb", "--sync-only"]
    process = run_as_account(account, command, environment={"PGDATA": str(new.data)})
    if process.returncode:
        raise DatabaseError(f"The new data could not be written to disk: {process.stdout.strip()}")

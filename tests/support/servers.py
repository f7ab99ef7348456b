"""Fixtures for embedded servers that a test can start, stop and kill."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mirpipe.db import roles
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.postgres.embedded import EmbeddedPostgres

_numbers = itertools.count(1)


@pytest.fixture
def home(short_folder: Path) -> Iterator[Path]:
    """Return the path of a new home. After the test, stop its server and delete the folder."""
    path = short_folder / f"home-{next(_numbers)}"
    yield path
    embedded_server(path).down()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def provisioned(short_folder: Path) -> EmbeddedPostgres:
    """Start a server with mirpipe's roles and databases. All tests of the session share it."""
    server = embedded_server(short_folder / "provisioned", start_timeout=60)
    server.up()
    with (server.data / "postgresql.conf").open("a") as settings:
        # The tests kill processes but never cut the power, so fsync is not needed.
        settings.write("fsync = off\n")
    return server


@pytest.fixture
def server(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Stop the shared server and return it. A test must not damage its roles and databases."""
    provisioned.down()
    yield provisioned
    provisioned.down()


def unprovision(server: EmbeddedPostgres) -> None:
    """Remove all roles and databases from a running server. The next `up` creates them again."""
    with closing(server.connect()) as connection, connection.cursor() as sql:
        for database in ("mirpipe", "airflow"):
            sql.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        for login in roles.LOGINS.values():
            sql.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,))
            if sql.rowcount:
                sql.execute(f"DROP OWNED BY {login}; DROP ROLE {login}")
    (server.cluster_folder / "provisioned").unlink(missing_ok=True)

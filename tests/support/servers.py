"""Fixtures: embedded servers that a test may start, stop and kill."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mirpipe.db import roles
from mirpipe.db.embedded_server import embedded_server
from mirpipe.postgres.embedded import EmbeddedPostgres

_numbers = itertools.count(1)


@pytest.fixture
def home(short_folder: Path) -> Iterator[Path]:
    """A home that does not exist yet; its server is stopped and its data removed afterwards."""
    path = short_folder / f"home-{next(_numbers)}"
    yield path
    embedded_server(path).down()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def provisioned(short_folder: Path) -> EmbeddedPostgres:
    server = embedded_server(short_folder / "provisioned", start_timeout=60)
    server.up()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\n")  # these tests kill processes, not machines
    return server


@pytest.fixture
def server(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A stopped server with its roles and databases; a test leaves it usable for the next."""
    provisioned.down()
    yield provisioned
    provisioned.down()


def unprovision(server: EmbeddedPostgres) -> None:
    """Leave a running server as initdb made it; its next `up` makes all of it again."""
    with closing(server.connect()) as link, link.cursor() as sql:
        for database in roles.OWNERS:
            sql.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        for login in roles.LOGINS.values():
            sql.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,))
            if sql.rowcount:
                sql.execute(f"DROP OWNED BY {login}; DROP ROLE {login}")
    (server.place / "provisioned").unlink(missing_ok=True)

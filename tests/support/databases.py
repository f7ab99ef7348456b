"""Creates migrated databases for tests, on the session's embedded server."""

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from mirpipe.db.engine import close_engines, engine
from mirpipe.db.provision_sql import grants_on_database
from mirpipe.errors import DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.emptied_databases import empty, fingerprint


@dataclass(frozen=True)
class Database:
    """A migrated database without rows. The settings contain its URLs."""

    name: str
    owner: Engine
    """Engine for the role owner."""
    app: Engine
    """Engine for the role app."""
    reader: Engine
    """Engine for the role reader."""
    listener: Engine
    """Engine for the role listener."""


class DatabasePool:
    """Databases that tests have used and that are empty again."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self._embedded = embedded
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        self._fingerprint: str | None = None

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Yield an empty database, and empty or delete it later."""
        name = self._free.pop() if self._free else self._create()
        try:
            with _configured(self._embedded, name) as configured:
                yield configured
        finally:
            if self._fingerprint and empty(self._embedded, name, self._fingerprint):
                self._free.append(name)
            else:
                _drop(self._embedded, name)

    def _create(self) -> str:
        name = f"test_{next(self._numbers)}"
        _create(self._embedded, name)
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self._embedded, name)
        return name


@contextmanager
def database(embedded: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """Create a database, configure this process and its children for it, and delete it later."""
    _create(embedded, name)
    with _configured(embedded, name) as configured:
        yield configured
    _drop(embedded, name)


def _create(embedded: EmbeddedPostgres, name: str) -> None:
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        # Copying the files takes half as long as PostgreSQL's default strategy.
        template = "TEMPLATE migrated STRATEGY file_copy"
        sql.execute(f"CREATE DATABASE {name} {template} OWNER mirpipe_owner")
        sql.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        for grant in grants_on_database(name):
            sql.execute(grant.sql)


def _drop(embedded: EmbeddedPostgres, name: str) -> None:
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def _configured(embedded: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """Configure this process and its children for a database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRPIPE_HOME", str(embedded.folder.parent))
        variables = {
            "DATABASE": "app",
            "OWNER": "owner",
            "READER": "reader",
            "LISTENER": "listener",
        }
        for variable, role in variables.items():
            patch.setenv(f"MIRPIPE_{variable}_URL", embedded.url(role, name))
        settings.cache_clear()
        close_engines()
        yield Database(
            name,
            owner=engine("owner"),
            app=engine("app"),
            reader=engine("reader"),
            listener=engine("listener"),
        )
        close_engines()
    settings.cache_clear()


def require_refused(role_engine: Engine, statement: str) -> None:
    """Check that the engine's role does not have the privilege to run the statement."""
    with (
        role_engine.connect() as connection,
        pytest.raises((ProgrammingError, DatabaseError)) as caught,
    ):
        connection.execute(text(statement))
    error = caught.value
    cause = error.orig if isinstance(error, ProgrammingError) else error.__cause__
    assert isinstance(cause, InsufficientPrivilege)

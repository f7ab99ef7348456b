"""Creates migrated databases for tests, on the session's embedded server."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from psycopg2 import extensions
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from mirpipe.db.engine import close_engines, engine
from mirpipe.db.provision_sql import grants_on_database
from mirpipe.errors import DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.emptied_databases import empty, fingerprint

Result = TypeVar("Result")


@dataclass(frozen=True)
class Database:
    """A migrated database. The settings contain its URLs."""

    name: str
    owner: Engine
    """Engine for the role owner."""
    app: Engine
    """Engine for the role app."""
    reader: Engine
    """Engine for the role reader."""
    listener: Engine
    """Engine for the role listener."""

    def engines(self) -> tuple[Engine, ...]:
        """Return the engines of all roles."""
        return self.owner, self.app, self.reader, self.listener


@dataclass(frozen=True)
class _Filled:
    """What a function wrote to a database and a folder, and what it returned."""

    template: str
    """Name of a copy of the database."""
    folder: Path
    """The folder, which each test may change."""
    original: Path
    """Copy of the folder."""
    database: Database
    """The database that the function filled. The result may contain its engines."""
    result: Any


class DatabasePool:
    """Databases that tests have used and that are empty again, and templates of filled ones."""

    def __init__(self, embedded: EmbeddedPostgres, folder: Path) -> None:
        self._embedded = embedded
        self._folder = folder
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        self._fingerprint: str | None = None
        self._filled: dict[Callable[[Database, Path], object], _Filled] = {}

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

    def fill(self, database: Database, function: Callable[[Database, Path], Result]) -> Result:
        """Fill an empty database with `function`, or with a copy of what it wrote before.

        A session calls the function only once, with the database and a folder for files. Later
        calls replace the database and the folder by copies, which takes 0.2 CPU seconds. Each call
        returns a copy of the result, whose engines are those of `database`.
        """
        filled = self._filled.get(function)
        if filled is None:
            filled = self._filled[function] = self._fill(database, function)
        else:
            _close(database)
            _drop(self._embedded, database.name)
            _create(self._embedded, database.name, filled.template)
            shutil.rmtree(filled.folder)
            shutil.copytree(filled.original, filled.folder, symlinks=True)
        old, new = ((each, *each.engines()) for each in (filled.database, database))
        return deepcopy(filled.result, dict(zip(map(id, old), new, strict=True)))

    def _fill(self, database: Database, function: Callable[[Database, Path], object]) -> _Filled:
        template = f"filled_{next(self._numbers)}"
        folder, original = self._folder / template, self._folder / f"{template}_original"
        folder.mkdir()
        result = function(database, folder)
        shutil.copytree(folder, original, symlinks=True)
        _close(database)
        with closing(self._embedded.connect()) as connection, connection.cursor() as sql:
            _copy(sql, database.name, template, "ALLOW_CONNECTIONS false")
        return _Filled(template, folder, original, database, result)

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


def _create(embedded: EmbeddedPostgres, name: str, template: str = "migrated") -> None:
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        _copy(sql, template, name, "OWNER mirpipe_owner")
        sql.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        for grant in grants_on_database(name):
            sql.execute(grant.sql)


def _copy(sql: extensions.cursor, template: str, name: str, options: str) -> None:
    # Copying the files takes half as long as PostgreSQL's default strategy.
    sql.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy {options}")


def _close(database: Database) -> None:
    """Close the connections to a database. Its engines open new ones when they are used."""
    for each in database.engines():
        each.dispose()


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

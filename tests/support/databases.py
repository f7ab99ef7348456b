"""Creates migrated databases for tests, on the session's embedded server."""

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


@contextmanager
def database(embedded: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """Create a database, configure this process and its children for it, and delete it later."""
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        # Copying the files takes half as long as PostgreSQL's default strategy.
        template = "TEMPLATE migrated STRATEGY file_copy"
        sql.execute(f"CREATE DATABASE {name} {template} OWNER mirpipe_owner")
        sql.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        for grant in grants_on_database(name):
            sql.execute(grant.sql)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRPIPE_HOME", str(embedded.folder.parent))
        for variable, role in (("DATABASE", "app"), ("OWNER", "owner"), ("READER", "reader")):
            patch.setenv(f"MIRPIPE_{variable}_URL", embedded.url(role, name))
        settings.cache_clear()
        close_engines()
        yield Database(name, owner=engine("owner"), app=engine("app"), reader=engine("reader"))
        close_engines()
    settings.cache_clear()
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute(f"DROP DATABASE {name} WITH (FORCE)")


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

"""Migrated databases for tests, on the embedded server of the session."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from mirpipe.db.engine import engine, forget_engines
from mirpipe.db.roles import grant_connect
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings


@dataclass(frozen=True)
class Database:
    """An empty database at head; code under test finds it through the settings."""

    name: str
    owner: Engine
    app: Engine
    reader: Engine


@contextmanager
def database(embedded: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """A new one, which the settings of this process and of its children name while it is there."""
    with closing(embedded.connect()) as link, link.cursor() as sql:
        # as files, which takes half as long
        template = "TEMPLATE migrated STRATEGY file_copy"
        sql.execute(f"CREATE DATABASE {name} {template} OWNER mirpipe_owner")
        grant_connect(sql, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRPIPE_HOME", str(embedded.folder.parent))
        for variable, role in (("DATABASE", "app"), ("OWNER", "owner"), ("READER", "reader")):
            patch.setenv(f"MIRPIPE_{variable}_URL", embedded.url(role, name))
        settings.cache_clear()
        forget_engines()
        yield Database(name, owner=engine("owner"), app=engine("app"), reader=engine("reader"))
        forget_engines()
    settings.cache_clear()
    with closing(embedded.connect()) as link, link.cursor() as sql:
        sql.execute(f"DROP DATABASE {name} WITH (FORCE)")

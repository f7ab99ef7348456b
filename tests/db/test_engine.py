"""Engines: which server, as which role, and one a process."""

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from mirpipe.db.engine import PipelineRole, database_url, engine, forget_engines
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.databases import Database

ROLES: tuple[PipelineRole, ...] = ("owner", "app", "reader")


def use(monkeypatch: pytest.MonkeyPatch, **variables: object) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MIRPIPE_{name.upper()}", str(value))
    settings.cache_clear()
    forget_engines()


def test_each_role_finds_the_database_of_the_settings(fresh_database: Database) -> None:
    for made, login in (
        (fresh_database.owner, "mirpipe_owner"),
        (fresh_database.app, "mirpipe_app"),
        (fresh_database.reader, "mirpipe_read"),
    ):
        with made.connect() as link:
            found = link.execute(
                text("SELECT current_user, current_database(), current_setting('application_name')")
            ).one()
        assert found == (login, fresh_database.name, "mirpipe")


def test_without_a_url_the_embedded_server_is_started(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, home=server.folder.parent)
    assert not server.status().running
    try:
        with engine("app").connect() as link:
            assert link.execute(text("SELECT current_user")).scalar() == "mirpipe_app"
        assert server.status().running
        assert make_url(database_url("owner")) == make_url(server.url("owner"))
    finally:
        forget_engines()


def test_an_engine_outlives_a_restart_of_its_server(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, home=server.folder.parent)
    with engine("app").connect() as link:
        link.execute(text("SELECT 1"))
    server.down()
    with pytest.raises(DatabaseError, match="mirpipe db up"):
        engine("app").connect()
    server.up()
    with engine("app").connect() as link:
        assert link.execute(text("SELECT 1")).scalar() == 1
    forget_engines()


def test_an_engine_is_made_once_a_process_and_not_shared_with_a_child(
    fresh_database: Database,
) -> None:
    assert engine("app") is fresh_database.app
    with engine("app").connect() as link:
        mine = link.execute(text("SELECT pg_backend_pid()")).scalar()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with engine("app").connect() as link:
            os.write(write, str(link.execute(text("SELECT pg_backend_pid()")).scalar()).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        assert answer.read() not in ("", str(mine))
    with engine("app").connect() as link:
        assert link.execute(text("SELECT pg_backend_pid()")).scalar() == mine


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_any_spelling_of_a_url_is_taken(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, database_url=f"{scheme}://me:p%40ss@db.example:6543/music?sslmode=require")
    expected = "postgresql+psycopg2://me:p%40ss@db.example:6543/music?sslmode=require"
    assert [database_url(role) for role in ROLES] == [expected] * 3


def test_a_url_of_its_own_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    use(
        monkeypatch,
        database_url="postgresql://app@h/d",
        owner_url="postgresql://boss@h/d",
        reader_url="postgresql://viewer@h/d",
    )
    users = [database_url(role).split("//")[1].split("@")[0] for role in ROLES]
    assert users == ["boss", "app", "viewer"]


@pytest.mark.parametrize(
    "written", ["sqlite:///music.db", "music", "mysql://h/d", "postgresql://h:x/d"]
)
def test_what_is_no_postgres_url_is_refused_by_the_name_of_its_setting(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, database_url="postgresql://h/d", reader_url=written)
    with pytest.raises(ConfigurationError, match="MIRPIPE_READER_URL"):
        database_url("reader")


def test_a_missing_home_is_not_needed_where_there_is_a_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, home=tmp_path / "home", database_url="postgresql://h/d")
    database_url("app")
    assert not (tmp_path / "home").exists()

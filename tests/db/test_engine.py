"""Engines: the server and role of their sessions, and one engine per process."""

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from mirpipe.db.engine import PipelineRole, close_engines, database_url, engine
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import settings
from tests.support.databases import Database

ROLES: tuple[PipelineRole, ...] = ("owner", "app", "reader", "listener")


def configure(monkeypatch: pytest.MonkeyPatch, **variables: object) -> None:
    """Set MIRPIPE_ variables, and close engines that were created with the previous settings."""
    for name, value in variables.items():
        monkeypatch.setenv(f"MIRPIPE_{name.upper()}", str(value))
    settings.cache_clear()
    close_engines()


def test_each_role_connects_to_the_configured_database(fresh_database: Database) -> None:
    for role_engine, login in (
        (fresh_database.owner, "mirpipe_owner"),
        (fresh_database.app, "mirpipe_app"),
        (fresh_database.reader, "mirpipe_read"),
        (fresh_database.listener, "mirpipe_listener"),
    ):
        with role_engine.connect() as connection:
            row = connection.execute(
                text("SELECT current_user, current_database(), current_setting('application_name')")
            ).one()
        assert row == (login, fresh_database.name, "mirpipe")


def test_without_a_url_the_embedded_server_is_started(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, home=server.folder.parent)
    assert not server.status().running
    try:
        with engine("app").connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar() == "mirpipe_app"
        assert server.status().running
        assert make_url(database_url("owner")) == make_url(server.url("owner"))
    finally:
        close_engines()


@pytest.mark.parametrize("role", ["app", "reader"])
def test_the_first_use_of_the_embedded_server_creates_the_schema(
    role: PipelineRole, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, home=server.folder.parent)
    try:
        with engine(role).connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM v_library")).scalar() == 0
    finally:
        close_engines()


def test_an_engine_works_again_after_its_server_was_restarted(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, home=server.folder.parent)
    with engine("app").connect() as connection:
        connection.execute(text("SELECT 1"))
    server.down()
    with pytest.raises(DatabaseError, match="mirpipe db up"):
        engine("app").connect()
    server.up()
    with engine("app").connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    close_engines()


def test_there_is_one_engine_per_process_and_a_child_does_not_share_it(
    fresh_database: Database,
) -> None:
    assert engine("app") is fresh_database.app
    with engine("app").connect() as connection:
        parent_backend = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with engine("app").connect() as connection:
            os.write(
                write, str(connection.execute(text("SELECT pg_backend_pid()")).scalar()).encode()
            )
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as output:
        child_backend = output.read()
        assert child_backend not in ("", str(parent_backend))
    with engine("app").connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == parent_backend


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_every_spelling_of_a_postgres_url_is_accepted(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(
        monkeypatch, database_url=f"{scheme}://me:p%40ss@db.example:6543/music?sslmode=require"
    )
    expected = "postgresql+psycopg2://me:p%40ss@db.example:6543/music?sslmode=require"
    assert [database_url(role) for role in ROLES] == [expected] * 4


def test_the_url_of_a_role_is_used_before_the_common_url(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(
        monkeypatch,
        database_url="postgresql://app@h/d",
        owner_url="postgresql://boss@h/d",
        reader_url="postgresql://viewer@h/d",
        listener_url="postgresql://voter@h/d",
    )
    users = [database_url(role).split("//")[1].split("@")[0] for role in ROLES]
    assert users == ["boss", "app", "viewer", "voter"]


@pytest.mark.parametrize(
    "url", ["sqlite:///music.db", "music", "mysql://h/d", "postgresql://h:x/d"]
)
def test_a_url_that_is_not_of_postgres_is_an_error_that_names_the_setting(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, database_url="postgresql://h/d", reader_url=url)
    with pytest.raises(ConfigurationError, match="MIRPIPE_READER_URL"):
        database_url("reader")


def test_no_home_is_created_if_a_url_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configure(monkeypatch, home=tmp_path / "home", database_url="postgresql://h/d")
    database_url("app")
    assert not (tmp_path / "home").exists()

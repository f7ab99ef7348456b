"""`mirpipe db provision`: its SQL, pasted into psql or run by the command, on a fresh server."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn
from sqlalchemy import URL, text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db import health
from mirpipe.db.engine import close_engines, engine
from mirpipe.db.migrate import current, head, migrate
from mirpipe.db.user_server import provision_script
from mirpipe.errors import ConfigurationError
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.installed_programs import programs_folder
from mirpipe.postgres.passwords import read_passwords
from mirpipe.settings import settings
from mirpipe.stages.ingest.ingest_folders import ingest
from tests.support.servers import unprovision

pytestmark = pytest.mark.database

PASSWORD = "pä ss½:'\"\\$word"
OWN_LOGINS = {
    "DATABASE_URL": ("mirpipe_app", "mirpipe"),
    "OWNER_URL": ("mirpipe_owner", "mirpipe"),
    "READER_URL": ("mirpipe_read", "mirpipe"),
    "LISTENER_URL": ("mirpipe_listener", "mirpipe"),
    "AIRFLOW_DATABASE_URL": ("airflow", "airflow"),
}
OTHER_LOGINS = {
    "DATABASE_URL": ("run ner", "mu sic"),
    "OWNER_URL": ('ow"ner', "mu sic"),
    "READER_URL": ("viewer", "mu sic"),
    "LISTENER_URL": ("voter", "mu sic"),
}
ONE_LOGIN = {"DATABASE_URL": ("plain", "mu sic")}
APP_READS = {"DATABASE_URL": ("mirpipe_app", "mirpipe"), "OWNER_URL": ("mirpipe_owner", "mirpipe")}


@pytest.fixture
def empty(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Yield a running server whose only role is the superuser."""
    provisioned.up()
    unprovision(provisioned)
    yield provisioned
    close_engines()
    with closing(provisioned.connect()) as connection, connection.cursor() as sql:
        sql.execute('DROP DATABASE IF EXISTS "mu sic" WITH (FORCE)')
    unprovision(provisioned)
    with closing(provisioned.connect()) as connection, connection.cursor() as sql:
        for login in ("run ner", 'ow""ner', "viewer", "voter", "plain", "dba"):
            sql.execute("SELECT FROM pg_roles WHERE rolname = %s", (login.replace('""', '"'),))
            if sql.rowcount:
                sql.execute(f'DROP OWNED BY "{login}"; DROP ROLE "{login}"')
    provisioned.down()


def url(server: EmbeddedPostgres, login: str, password: str, database: str) -> str:
    parts = parse_dsn(server.url("app", driver="postgresql"))
    place = {"host": parts["host"], "port": parts["port"]}
    made = URL.create("postgresql", login, password, database=database, query=place)
    return made.render_as_string(hide_password=False)


def configure(
    server: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
    logins: dict[str, tuple[str, str]],
) -> None:
    for setting, (login, database) in logins.items():
        monkeypatch.setenv(f"MIRPIPE_{setting}", url(server, login, PASSWORD, database))
    settings.cache_clear()
    close_engines()


def superuser_url(server: EmbeddedPostgres) -> str:
    password = read_passwords(server.folder / "pgpass")[SUPERUSER]
    return url(server, SUPERUSER, password, "postgres")


def paste_into_psql(script: str, administrator_url: str) -> None:
    """Run the SQL as psql does when it is pasted. Check that no statement fails."""
    psql = [programs_folder() / "psql", administrator_url, "--no-psqlrc", "--quiet"]
    done = subprocess.run(psql, input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, "ERROR" in done.stderr) == (0, False), done.stderr


def require_usable(logins: dict[str, tuple[str, str]]) -> None:
    """Migrate, ingest nothing, read as the reader, and create a table of Airflow."""
    migrate()
    assert current() == head()
    ingest([], collection="reference", allow_removal=True)
    with engine("owner").connect() as connection:
        assert health.wrong_grants(connection) == []
    with engine("app").begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE loading (n int)"))
        connection.execute(text("UPDATE track SET title = title"))
    with engine("reader").connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM v_library")).scalar() == 0
        can_write = text("SELECT has_table_privilege('mirpipe.track', 'UPDATE')")
        assert not connection.execute(can_write).scalar()
    with engine("listener").connect() as connection:
        progress = text("SELECT count(*) FROM mirpipe.listener_progress('unknown')")
        assert connection.execute(progress).scalar() == 0
        can_read = text("SELECT has_table_privilege('mirpipe.track', 'SELECT')")
        assert not connection.execute(can_read).scalar()
    for setting, (login, database) in logins.items():
        value = getattr(settings(), setting.lower())
        with closing(psycopg2.connect(value)) as connection, connection.cursor() as sql:
            sql.execute("SELECT session_user, current_database()")
            assert sql.fetchone() == (login, database)
            if setting.startswith("AIRFLOW"):
                sql.execute("CREATE TABLE mine ()")


@pytest.mark.parametrize(
    "logins",
    [OWN_LOGINS, OTHER_LOGINS, ONE_LOGIN, APP_READS],
    ids=["own logins", "other logins", "one login", "no reader"],
)
def test_the_printed_sql_prepares_a_fresh_server_when_it_is_pasted_into_psql(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, logins: dict[str, tuple[str, str]]
) -> None:
    configure(empty, monkeypatch, logins)
    result = CliRunner().invoke(app, ["db", "provision"])
    assert result.exit_code == 0, result.output
    assert "mirpipe db migrate" in result.stderr
    for _ in range(2):
        paste_into_psql(result.stdout, superuser_url(empty))
    require_usable(logins)


@pytest.mark.parametrize("logins", [OWN_LOGINS, ONE_LOGIN], ids=["own logins", "one login"])
def test_the_command_runs_the_sql_as_the_superuser(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, logins: dict[str, tuple[str, str]]
) -> None:
    configure(empty, monkeypatch, logins)
    monkeypatch.setenv("MIRPIPE_SUPERUSER_URL", superuser_url(empty))
    settings.cache_clear()
    for _ in range(2):
        result = CliRunner().invoke(app, ["db", "provision"])
        assert result.exit_code == 0, result.output
    require_usable(logins)


def test_an_administrator_who_is_not_a_superuser_can_run_the_sql(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Managed servers give nobody a superuser. Their administrators can create roles."""
    with closing(empty.connect()) as connection, connection.cursor() as sql:
        sql.execute("CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'secret'")
        sql.execute("GRANT CONNECT ON DATABASE postgres TO dba")
    configure(empty, monkeypatch, OWN_LOGINS)
    administrator = url(empty, "dba", "secret", "postgres")
    with pytest.raises(AssertionError, match="Must be superuser to create this extension"):
        paste_into_psql(provision_script(), administrator)
    with closing(empty.connect("mirpipe")) as connection, connection.cursor() as sql:
        sql.execute("CREATE EXTENSION vector SCHEMA public")  # Managed servers allow this.
    paste_into_psql(provision_script(), administrator)
    require_usable(OWN_LOGINS)


def test_other_databases_and_logins_are_not_changed(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(empty.connect()) as connection, connection.cursor() as sql:
        sql.execute("CREATE ROLE viewer LOGIN PASSWORD 'secret' CREATEDB")
        sql.execute('CREATE DATABASE "mu sic"')
        sql.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'viewer'")
        before = sql.fetchone()
    configure(empty, monkeypatch, OTHER_LOGINS)
    paste_into_psql(provision_script(), superuser_url(empty))
    with closing(empty.connect()) as connection, connection.cursor() as sql:
        sql.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'viewer'")
        assert sql.fetchone() == before
        sql.execute(
            "SELECT datname FROM pg_database WHERE has_database_privilege('public', oid, 'CONNECT')"
        )
        assert ("mu sic",) in sql.fetchall()


def test_the_script_contains_no_password(
    empty: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = {**ONE_LOGIN}
    configure(empty, monkeypatch, logins)
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", url(empty, "plain", "hunter2", "mu sic"))
    settings.cache_clear()
    script = provision_script()
    assert "hunter2" not in script
    assert re.search(r"PASSWORD ''SCRAM-SHA-256\$4096:", script)


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        ({}, "MIRPIPE_DATABASE_URL is not set"),
        ({"DATABASE": "postgresql:///mirpipe"}, "MIRPIPE_DATABASE_URL names no login"),
        (
            {"DATABASE": "postgresql://a:b@h/m", "READER": "postgresql://c:d@h"},
            "MIRPIPE_READER_URL names no database",
        ),
        (
            {"DATABASE": "postgresql://a:b@h/m", "OWNER": "postgresql://c:d@h/other"},
            "MIRPIPE_OWNER_URL names the database other, but MIRPIPE_DATABASE_URL names m",
        ),
        (
            {"DATABASE": "postgresql://a:b@h/m", "READER": "postgresql://a:d@h/m"},
            "MIRPIPE_DATABASE_URL and MIRPIPE_READER_URL have different passwords",
        ),
        (
            {"DATABASE": "postgresql://mirpipe_read:b@h/m", "OWNER": "postgresql://c:d@h/m"},
            "MIRPIPE_DATABASE_URL has the login mirpipe_read, which may only read",
        ),
        (
            {"DATABASE": "postgresql://a:b@h/m", "AIRFLOW_DATABASE": "postgresql://c:d@h/m"},
            "name the same database",
        ),
        ({"DATABASE": "mysql://a:b@h/m"}, "MIRPIPE_DATABASE_URL is a URL of mysql"),
    ],
)
def test_settings_that_contradict_each_other_are_an_error_with_their_names(
    monkeypatch: pytest.MonkeyPatch, urls: dict[str, str], message: str
) -> None:
    for name, value in urls.items():
        monkeypatch.setenv(f"MIRPIPE_{name}_URL", value)
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match=message) as caught:
        provision_script()
    assert ":b@" not in str(caught.value)

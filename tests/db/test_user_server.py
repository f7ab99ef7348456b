"""A user's server: what migrations need, what is reported as missing, and session roles."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from psycopg2 import extensions
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from mirpipe.cli.db import app
from mirpipe.db import oldest_versions
from mirpipe.db.engine import close_engines, engine
from mirpipe.db.migrate import current, migrate
from mirpipe.db.queries.user_sql import run_query
from mirpipe.db.user_server import provision_user_server
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.passwords import read_passwords
from mirpipe.settings import settings
from tests.support.servers import unprovision

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class UserServer:
    """A server with a database `music` and three logins, not yet prepared for mirpipe."""

    embedded: EmbeddedPostgres
    monkeypatch: pytest.MonkeyPatch

    def url(self, login: str) -> str:
        """Return the URL of the database `music` for this login."""
        password = "secret"
        if login == SUPERUSER:
            password = read_passwords(self.embedded.folder / "pgpass")[SUPERUSER]
        app_url = self.embedded.url("app", "music", driver="postgresql")
        return re.sub("//.*@", f"//{login}:{password}@", app_url)

    def configure(self, login: str, **logins_by_setting: str) -> None:
        """Set MIRPIPE_DATABASE_URL to the URL of `login`, and other settings to other logins."""
        self.monkeypatch.setenv("MIRPIPE_DATABASE_URL", self.url(login))
        for name, other_login in logins_by_setting.items():
            self.monkeypatch.setenv(f"MIRPIPE_{name.upper()}", self.url(other_login))
        settings.cache_clear()
        close_engines()

    def run_as_superuser(self, statement: str, database: str = "music") -> None:
        with closing(self.embedded.connect(database)) as connection, connection.cursor() as sql:
            sql.execute(statement)


@pytest.fixture(scope="module")
def unprepared_server(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Yield a server without mirpipe's objects, whose method `up` does not create them."""
    marker = provisioned.cluster_folder / "provisioned"
    provisioned.up()
    version = marker.read_text()
    unprovision(provisioned)
    marker.write_text(version)
    yield provisioned
    marker.unlink()
    provisioned.up()
    provisioned.down()


@pytest.fixture
def music_server(
    unprepared_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UserServer]:
    unprepared_server.up()
    server = UserServer(unprepared_server, monkeypatch)
    server.run_as_superuser("CREATE DATABASE music", "postgres")
    for login in ("plain", "runner", "viewer"):
        server.run_as_superuser(f"CREATE ROLE {login} LOGIN PASSWORD 'secret'", "postgres")
    yield server
    close_engines()
    unprepared_server.up()
    server.run_as_superuser("DROP DATABASE music WITH (FORCE)", "postgres")
    server.run_as_superuser(
        "DROP ROLE IF EXISTS mirpipe_app, mirpipe_read, mirpipe_listener", "postgres"
    )
    server.run_as_superuser("DROP ROLE plain, runner, viewer", "postgres")


def logins_of_session(role: str) -> tuple[str, str]:
    """Return the session's login and current role."""
    with engine(role).connect() as connection:  # type: ignore[arg-type]  # A role is a Literal.
        row = connection.execute(text("SELECT session_user, current_user")).one()
    return row[0], row[1]


def test_the_url_of_a_superuser_is_enough(music_server: UserServer) -> None:
    music_server.configure(SUPERUSER)
    migrate()
    assert current() is not None
    assert logins_of_session("owner") == (SUPERUSER, SUPERUSER)
    assert logins_of_session("app") == (SUPERUSER, "mirpipe_app")
    assert logins_of_session("reader") == (SUPERUSER, "mirpipe_read")
    with (
        engine("app").connect() as connection,
        pytest.raises(DatabaseError, match="permission denied"),
    ):
        connection.execute(text("CREATE TABLE mirpipe.mine ()"))
    with engine("reader").connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM v_library")).scalar() == 0
        with pytest.raises(DBAPIError, match="read-only transaction"):
            connection.execute(text("DELETE FROM track"))


def test_migrating_twice_changes_nothing(music_server: UserServer) -> None:
    music_server.configure(SUPERUSER)
    migrate()
    first = current()
    migrate()
    assert current() == first


def test_the_error_for_a_server_that_is_not_ready_names_everything_and_the_remedy(
    music_server: UserServer,
) -> None:
    music_server.configure("plain", owner_url="runner", reader_url="viewer")
    with pytest.raises(DatabaseError) as caught:
        migrate()
    message = str(caught.value)
    assert "the extension vector is not installed in the database" in message
    assert "there is no role mirpipe_app" in message
    assert "the login runner, which MIRPIPE_OWNER_URL names, cannot create in the data" in message
    assert "the login runner, which MIRPIPE_OWNER_URL names, cannot create in the schema" in message
    assert "Run `mirpipe db provision`" in message
    assert current() is None

    music_server.run_as_superuser("CREATE ROLE mirpipe_app; CREATE ROLE mirpipe_read")
    music_server.configure("plain", owner_url="runner", reader_url="nobody_yet")
    with pytest.raises(DatabaseError) as caught:
        migrate()
    message = str(caught.value)
    assert "the login plain, which MIRPIPE_DATABASE_URL names, does not have the role" in message
    assert "there is no login nobody_yet, which MIRPIPE_READER_URL names" in message


def test_a_login_that_may_create_roles_creates_them(music_server: UserServer) -> None:
    music_server.run_as_superuser("CREATE EXTENSION vector; ALTER ROLE plain CREATEROLE")
    music_server.run_as_superuser("ALTER DATABASE music OWNER TO plain")
    music_server.configure("plain")
    migrate()
    assert logins_of_session("app") == ("plain", "mirpipe_app")
    assert logins_of_session("reader") == ("plain", "mirpipe_read")


def test_roles_with_their_own_urls_keep_their_logins(music_server: UserServer) -> None:
    music_server.configure("runner", owner_url=SUPERUSER, reader_url="viewer")
    migrate()
    assert logins_of_session("owner") == (SUPERUSER, SUPERUSER)
    assert logins_of_session("app") == ("runner", "runner")
    assert logins_of_session("reader") == ("viewer", "viewer")
    with engine("app").begin() as connection:
        connection.execute(text("UPDATE track SET title = title"))
    with engine("reader").connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM v_library")).scalar() == 0


def test_sql_of_users_is_refused_without_a_login_that_can_only_read(
    music_server: UserServer,
) -> None:
    music_server.configure(SUPERUSER)
    output = CliRunner().invoke(app, ["up"]).output
    assert "There is no URL for queries. SQL queries need" in output
    assert "postgresql://" + SUPERUSER not in output
    with pytest.raises(ConfigurationError, match=f"{SUPERUSER} is a superuser.*db provision"):
        run_query("SELECT set_config('role', 'none', false), pg_read_file('PG_VERSION')")


def test_a_reader_with_a_login_of_its_own_runs_sql_of_users(music_server: UserServer) -> None:
    music_server.configure("runner", owner_url=SUPERUSER, reader_url="viewer")
    migrate()
    assert run_query("SELECT session_user::text").rows == [("viewer",)]
    # The container of the dashboard knows only the reader's URL.
    music_server.configure("viewer", reader_url="viewer")
    assert run_query("SELECT session_user::text").rows == [("viewer",)]


@pytest.mark.parametrize(
    ("grant", "privilege"),
    [
        ("GRANT mirpipe_app TO viewer", "has the privileges of mirpipe_app"),
        ("GRANT mirpipe_app TO viewer WITH INHERIT FALSE", "has the privileges of mirpipe_app"),
        ("GRANT pg_read_server_files TO viewer", "has the privileges of pg_read_server_files"),
        ("GRANT runner TO viewer", "has the privileges of mirpipe_app"),
        ("ALTER ROLE viewer CREATEROLE", "is allowed to create roles"),
        ("ALTER DATABASE music OWNER TO viewer", "owns the database"),
        ("GRANT UPDATE ON mirpipe.track TO viewer", "is allowed to change the table track"),
    ],
)
def test_a_reader_whose_login_can_do_more_than_read_runs_no_sql_of_users(
    music_server: UserServer, grant: str, privilege: str
) -> None:
    music_server.configure("runner", owner_url=SUPERUSER, reader_url="viewer")
    migrate()
    music_server.run_as_superuser(grant)
    with pytest.raises(ConfigurationError, match=f"the login viewer {privilege}"):
        run_query("SELECT 1")


def test_a_revoked_temporary_privilege_is_granted_to_the_pipeline_again(
    music_server: UserServer,
) -> None:
    music_server.run_as_superuser("REVOKE TEMPORARY ON DATABASE music FROM PUBLIC")
    music_server.configure(SUPERUSER)
    migrate()
    with engine("app").begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE loading (n int)"))
        assert connection.execute(text("SELECT count(*) FROM pg_temp.loading")).scalar_one() == 0


@pytest.mark.parametrize(
    ("prepare", "remedy"),
    [
        ("CREATE SCHEMA x; CREATE EXTENSION vector SCHEMA x", "SET SCHEMA public"),
        (None, "Name a new database in MIRPIPE_DATABASE_URL"),
    ],
)
def test_an_unsuitable_database_is_an_error_with_a_remedy(
    music_server: UserServer, prepare: str | None, remedy: str
) -> None:
    if prepare:
        music_server.run_as_superuser(prepare)
    else:
        music_server.run_as_superuser("DROP DATABASE music", "postgres")
        music_server.run_as_superuser(
            "CREATE DATABASE music ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' "
            "TEMPLATE template0",
            "postgres",
        )
    music_server.configure(SUPERUSER)
    with pytest.raises(DatabaseError, match=remedy):
        migrate()


def test_an_old_pgvector_is_updated(music_server: UserServer) -> None:
    music_server.run_as_superuser("CREATE EXTENSION vector")
    music_server.run_as_superuser(
        "UPDATE pg_extension SET extversion = '0.8.3' WHERE extname = 'vector'"
    )
    music_server.configure(SUPERUSER)
    migrate()
    with closing(music_server.embedded.connect("music")) as connection, connection.cursor() as sql:
        sql.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        assert sql.fetchone() == (available_pgvector(sql),)


@pytest.mark.parametrize(
    ("constant", "value", "message"),
    [
        ("OLDEST_PGVECTOR", (99, 0, 0), r"pgvector 0\.8\.\d+ is older than 99\.0\.0"),
        ("OLDEST_POSTGRES", 99, r"Postgres 18 is older than 99"),
    ],
)
def test_an_old_server_is_an_error(
    music_server: UserServer,
    monkeypatch: pytest.MonkeyPatch,
    constant: str,
    value: object,
    message: str,
) -> None:
    monkeypatch.setattr(oldest_versions, constant, value)
    music_server.configure(SUPERUSER)
    with pytest.raises(DatabaseError, match=message):
        migrate()
    with pytest.raises(DatabaseError, match=message):
        provision_user_server(music_server.url(SUPERUSER))


@pytest.mark.parametrize(
    ("role", "setting"),
    [
        ("owner", "MIRPIPE_OWNER_URL"),
        ("app", "MIRPIPE_DATABASE_URL"),
        ("reader", "MIRPIPE_READER_URL"),
    ],
)
def test_the_error_for_a_rejected_login_names_its_setting_and_the_remedy(
    music_server: UserServer, role: str, setting: str
) -> None:
    music_server.configure("plain", owner_url="runner", reader_url="viewer")
    login = {"owner": "runner", "app": "plain", "reader": "viewer"}[role]
    music_server.run_as_superuser(f"ALTER ROLE {login} NOLOGIN")
    with pytest.raises(DatabaseError, match=rf"{setting}.*`mirpipe db provision`") as caught:
        engine(role).connect()  # type: ignore[arg-type]  # A role is a Literal.
    assert "secret" not in str(caught.value)
    assert login in str(caught.value)


def test_the_error_for_an_unreachable_server_names_the_setting_without_the_password(
    music_server: UserServer,
) -> None:
    music_server.configure("plain", owner_url="runner")
    superuser_url = music_server.url("viewer")
    music_server.embedded.down()
    for attempt, setting in (
        (lambda: engine("app").connect(), "MIRPIPE_DATABASE_URL"),
        (migrate, "MIRPIPE_OWNER_URL"),
        (lambda: provision_user_server(superuser_url), "MIRPIPE_SUPERUSER_URL"),
    ):
        with pytest.raises(DatabaseError, match=f"host and port in {setting}") as caught:
            attempt()
        assert "secret" not in str(caught.value)


def test_a_missing_privilege_of_the_pipeline_is_an_error_with_its_setting(
    music_server: UserServer,
) -> None:
    music_server.configure(SUPERUSER)
    migrate()
    music_server.run_as_superuser("REVOKE ALL ON mirpipe.track FROM mirpipe_app")
    with (
        engine("app").connect() as connection,
        pytest.raises(DatabaseError, match=r"MIRPIPE_DATABASE_URL .*`mirpipe db provision`"),
    ):
        connection.execute(text("TABLE mirpipe.track"))


def available_pgvector(sql: extensions.cursor) -> object:
    sql.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    row = sql.fetchone()
    return row and row[0]

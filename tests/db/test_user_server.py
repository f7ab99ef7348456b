"""A server of the user's: what is made there, who acts as whom, what a superuser must do."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from psycopg2.extensions import cursor
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mirpipe.db import user_server
from mirpipe.db.engine import database_url, engine, forget_engines
from mirpipe.db.migrate import current, migrate
from mirpipe.db.user_server import provision
from mirpipe.errors import DatabaseError
from mirpipe.postgres.embedded import SUPERUSER, EmbeddedPostgres
from mirpipe.postgres.passwords import passwords
from mirpipe.settings import settings
from tests.support.servers import unprovision

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class Foreign:
    """A server that mirpipe did not make, with a database `music` and three logins."""

    embedded: EmbeddedPostgres
    monkeypatch: pytest.MonkeyPatch

    def url(self, login: str) -> str:
        mine = {SUPERUSER: passwords(self.embedded.folder / "pgpass")[SUPERUSER]}
        whole = self.embedded.url("app", "music", driver="postgresql")
        return re.sub("//.*@", f"//{login}:{mine.get(login, 'secret')}@", whole)

    def use(self, login: str, **others: str) -> None:
        self.monkeypatch.setenv("MIRPIPE_DATABASE_URL", self.url(login))
        for name, other in others.items():
            self.monkeypatch.setenv(f"MIRPIPE_{name.upper()}", self.url(other))
        settings.cache_clear()
        forget_engines()

    def superuser(self, statement: str, database: str = "music") -> None:
        with closing(self.embedded.connect(database)) as link, link.cursor() as sql:
            sql.execute(statement)


@pytest.fixture(scope="module")
def bare(provisioned: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A server that has nothing of mirpipe's, and is left alone by `up`."""
    marker = provisioned.place / "provisioned"
    provisioned.up()
    complete = marker.read_text()
    unprovision(provisioned)
    marker.write_text(complete)
    yield provisioned
    marker.unlink()
    provisioned.up()
    provisioned.down()


@pytest.fixture
def foreign(bare: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foreign]:
    bare.up()
    found = Foreign(bare, monkeypatch)
    found.superuser("CREATE DATABASE music", "postgres")
    for login in ("plain", "runner", "viewer"):
        found.superuser(f"CREATE ROLE {login} LOGIN PASSWORD 'secret'", "postgres")
    yield found
    forget_engines()
    bare.up()
    found.superuser("DROP DATABASE music WITH (FORCE)", "postgres")
    found.superuser("DROP ROLE IF EXISTS mirpipe_app, mirpipe_read", "postgres")
    found.superuser("DROP ROLE plain, runner, viewer", "postgres")


def who(role: str) -> tuple[str, str]:
    with engine(role).connect() as link:  # type: ignore[arg-type]  # a Literal, spelt by the test
        row = link.execute(text("SELECT session_user, current_user")).one()
    return row[0], row[1]


def test_one_superuser_url_is_enough(foreign: Foreign) -> None:
    foreign.use(SUPERUSER)
    migrate()
    assert current() is not None
    assert who("owner") == (SUPERUSER, SUPERUSER)
    assert who("app") == (SUPERUSER, "mirpipe_app")
    assert who("reader") == (SUPERUSER, "mirpipe_read")
    with engine("app").connect() as link, pytest.raises(DBAPIError, match="permission denied"):
        link.execute(text("CREATE TABLE mirpipe.mine ()"))
    with engine("reader").connect() as link:
        assert link.execute(text("SELECT count(*) FROM v_library")).scalar() == 0
        with pytest.raises(DBAPIError, match="read-only transaction"):
            link.execute(text("DELETE FROM track"))


def test_migrating_twice_changes_nothing(foreign: Foreign) -> None:
    foreign.use(SUPERUSER)
    migrate()
    first = current()
    migrate()
    assert current() == first


def test_what_a_login_may_not_do_is_given_as_sql_that_suffices(foreign: Foreign) -> None:
    foreign.use("plain")
    with pytest.raises(DatabaseError) as caught:
        migrate()
    said = str(caught.value).split("\n\n")[1]
    assert said.splitlines() == [
        "CREATE EXTENSION vector SCHEMA public;",
        'CREATE ROLE "mirpipe_app";',
        'GRANT "mirpipe_app" TO "plain";',
        'CREATE ROLE "mirpipe_read";',
        'GRANT "mirpipe_read" TO "plain";',
        'GRANT CREATE ON DATABASE "music" TO "plain";',
        'GRANT CREATE ON SCHEMA public TO "plain";',
    ]
    assert current() is None

    foreign.superuser(said)
    migrate()
    assert who("owner") == ("plain", "plain")
    assert who("app") == ("plain", "mirpipe_app")
    assert who("reader") == ("plain", "mirpipe_read")


def test_a_login_that_may_make_roles_makes_them_itself(foreign: Foreign) -> None:
    foreign.superuser("CREATE EXTENSION vector; ALTER ROLE plain CREATEROLE")
    foreign.superuser("ALTER DATABASE music OWNER TO plain")
    foreign.use("plain")
    migrate()
    assert who("app") == ("plain", "mirpipe_app")
    assert who("reader") == ("plain", "mirpipe_read")


def test_logins_of_their_own_stay_who_they_are(foreign: Foreign) -> None:
    foreign.use("runner", owner_url=SUPERUSER, reader_url="viewer")
    migrate()
    assert who("owner") == (SUPERUSER, SUPERUSER)
    assert who("app") == ("runner", "runner")
    assert who("reader") == ("viewer", "viewer")
    with engine("app").begin() as link:
        link.execute(text("UPDATE track SET title = title"))
    with engine("reader").connect() as link:
        assert link.execute(text("SELECT count(*) FROM v_library")).scalar() == 0


def test_a_revoked_temporary_privilege_is_given_back_to_the_pipeline(foreign: Foreign) -> None:
    foreign.superuser("REVOKE TEMPORARY ON DATABASE music FROM PUBLIC")
    foreign.use(SUPERUSER)
    migrate()
    with engine("app").begin() as link:
        link.execute(text("CREATE TEMPORARY TABLE loading (n int)"))
        assert link.execute(text("SELECT count(*) FROM pg_temp.loading")).scalar_one() == 0


@pytest.mark.parametrize(
    ("prepare", "remedy"),
    [
        ("CREATE SCHEMA x; CREATE EXTENSION vector SCHEMA x", "SET SCHEMA public"),
        (None, "create one with UTF8"),
    ],
)
def test_a_database_that_cannot_serve_is_refused(
    foreign: Foreign, prepare: str | None, remedy: str
) -> None:
    if prepare:
        foreign.superuser(prepare)
    else:
        foreign.superuser("DROP DATABASE music", "postgres")
        foreign.superuser(
            "CREATE DATABASE music ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' "
            "TEMPLATE template0",
            "postgres",
        )
    with pytest.raises(DatabaseError, match=remedy):
        provision(foreign.url(SUPERUSER))


def test_an_old_pgvector_is_updated(foreign: Foreign) -> None:
    foreign.superuser("CREATE EXTENSION vector")
    foreign.superuser("UPDATE pg_extension SET extversion = '0.8.3' WHERE extname = 'vector'")
    provision(foreign.url(SUPERUSER))
    with closing(foreign.embedded.connect("music")) as link, link.cursor() as sql:
        sql.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        assert sql.fetchone() == (binary_pgvector(sql),)


def test_a_server_whose_pgvector_is_too_old_is_refused(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_server, "OLDEST_PGVECTOR", (99, 0, 0))
    with pytest.raises(DatabaseError, match=r"has pgvector 0\.8\.\d+: install 99\.0\.0"):
        provision(foreign.url(SUPERUSER))


def test_a_server_that_does_not_answer_is_named_without_its_password(foreign: Foreign) -> None:
    foreign.use("plain")
    url = database_url("app")
    foreign.embedded.down()
    for attempt in (lambda: engine("app").connect(), lambda: provision(url)):
        with pytest.raises(DatabaseError, match="MIRPIPE_DATABASE_URL") as caught:
            attempt()
        assert "secret" not in str(caught.value)
        assert "plain" in str(caught.value)


def binary_pgvector(sql: cursor) -> object:
    sql.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    row = sql.fetchone()
    return row and row[0]

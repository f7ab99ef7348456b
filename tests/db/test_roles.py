"""Who may do what on the embedded server, and provisioning that is killed."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from psycopg2.extensions import connection, cursor
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from mirpipe.db.roles import LOGINS, Role
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database
from tests.support.servers import unprovision

LIFTED = "SET default_transaction_read_only = off; SET statement_timeout = 0; COMMIT; "


def refused(engine: Engine, statement: str) -> None:
    with engine.connect() as link, pytest.raises(ProgrammingError) as caught:
        link.execute(text(statement))
    assert isinstance(caught.value.orig, InsufficientPrivilege)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO mirpipe.failure (stage, subject, reason, message, retry) "
        "VALUES ('embed', 's', 'r', 'm', true)",
        "DELETE FROM mirpipe.track",
        "TRUNCATE mirpipe.track CASCADE",
        "CREATE TABLE public.mine ()",
        "CREATE TABLE mirpipe.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "SELECT mirpipe.register_encoder('e', 'r', 1, '{}')",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SET temp_file_limit = -1",
        "SELECT pg_read_file('PG_VERSION')",
        "SET ROLE mirpipe_app",
    ],
)
def test_a_reader_cannot_write_even_when_it_lifts_its_limits(
    fresh_database: Database, statement: str
) -> None:
    refused(fresh_database.reader, LIFTED + statement)


def test_a_reader_is_read_only_and_short_of_time_to_begin_with(
    embedded: EmbeddedPostgres,
) -> None:
    with (
        closing(psycopg2.connect(embedded.url("reader", driver="postgresql"))) as link,
        link.cursor() as sql,
    ):
        assert setting(sql, "statement_timeout") == "30s"
        assert setting(sql, "temp_file_limit") == "1GB"
        assert setting(sql, "search_path") == "mirpipe, public"
        with pytest.raises(ReadOnlySqlTransaction):
            sql.execute("CREATE TEMPORARY TABLE mine ()")


@pytest.mark.parametrize("database", ["mirpipe", "airflow"])
def test_only_those_who_need_them_take_advisory_locks(
    embedded: EmbeddedPostgres, database: str
) -> None:
    locking = (
        "SELECT p.oid::regprocedure::text, has_function_privilege(%s, p.oid, 'EXECUTE') "
        "FROM pg_proc p WHERE p.proname ~ 'advisory.*lock'"
    )
    with closing(embedded.connect(database)) as link, link.cursor() as sql:
        for login, may in (
            ("mirpipe_read", False),
            ("mirpipe_owner", True),
            ("mirpipe_app", True),
            ("airflow", True),
        ):
            sql.execute(locking, (login,))
            found = dict(sql.fetchall())
            assert len(found) >= 20
            assert set(found.values()) == {may}, login


def test_nobody_without_privileges_reaches_large_objects(embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect("mirpipe")) as link, link.cursor() as sql:
        sql.execute(
            "SELECT count(*), count(*) FILTER (WHERE has_function_privilege(r, p.oid, 'EXECUTE')) "
            "FROM pg_proc p, unnest(%s) r WHERE p.proname ~ '^lo(_.*|read|write)$'",
            (list(LOGINS.values()),),
        )
        row = sql.fetchone()
        assert row
        assert row[0] > 40
        assert row[1] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine ()",
        "CREATE TABLE mirpipe.mine ()",
        "CREATE SCHEMA mine",
        "DROP TABLE mirpipe.failure",
        "ALTER TABLE mirpipe.track ADD mine int",
        "CREATE ROLE mine",
        "SET ROLE mirpipe_owner",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_the_pipeline_cannot_change_the_schema(fresh_database: Database, statement: str) -> None:
    refused(fresh_database.app, statement)


def test_the_pipeline_writes_rows_and_loads_through_a_temporary_table(
    fresh_database: Database,
) -> None:
    with fresh_database.app.begin() as link:
        link.execute(text("CREATE TEMPORARY TABLE loading (n int) ON COMMIT DROP"))
        link.execute(
            text(
                "INSERT INTO mirpipe.failure (stage, subject, reason, message, retry) "
                "VALUES ('embed', 's', 'r', 'm', true)"
            )
        )
    with fresh_database.reader.connect() as link:
        assert link.execute(text("SELECT subject FROM mirpipe.failure")).scalar() == "s"


@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("owner", "airflow"),
        ("app", "airflow"),
        ("reader", "airflow"),
        ("airflow", "mirpipe"),
        ("owner", "postgres"),
        ("reader", "postgres"),
        ("reader", "template1"),
    ],
)
def test_a_role_enters_its_own_database_alone(
    embedded: EmbeddedPostgres, role: Role, database: str
) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(embedded.url(role, database, driver="postgresql"))


def test_a_role_made_later_enters_no_database(embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect()) as link, link.cursor() as sql:
        sql.execute("CREATE ROLE stranger LOGIN")
        try:
            sql.execute(
                "SELECT array_agg(datname::text) FROM pg_database "
                "WHERE datallowconn AND has_database_privilege('stranger', oid, 'CONNECT')"
            )
            assert sql.fetchone() == (None,)
        finally:
            sql.execute("DROP ROLE stranger")


def test_airflow_owns_its_database(embedded: EmbeddedPostgres) -> None:
    url = embedded.url("airflow", "airflow", driver="postgresql")
    with closing(psycopg2.connect(url)) as link, link.cursor() as sql:
        sql.execute("CREATE TABLE mine (n int); SELECT pg_advisory_xact_lock(1)")
        sql.execute("DROP TABLE mine")
        sql.execute(
            "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database "
            "WHERE datname = current_database()"
        )
        assert sql.fetchone() == (True,)
        link.rollback()


def test_no_role_is_more_than_a_login(embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect()) as link, link.cursor() as sql:
        sql.execute(
            "SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND NOT (rolsuper OR "
            "rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"
        )
        assert {name for (name,) in sql.fetchall()} == set(LOGINS.values())


# Killed provisioning -----------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for kill -9: nothing after the fatal statement is done."""


def test_provisioning_that_is_killed_anywhere_is_finished_by_the_next(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    unprovision(server)
    assert state(server.connect)["roles"] == []

    attempts = 0
    for allowed in range(1, 200):
        with monkeypatch.context() as patch:
            patch.setattr(EmbeddedPostgres, "connect", dying_after(allowed))
            try:
                server.up()
            except Killed:
                attempts += 1
                continue
        break
    assert attempts > 20
    assert (server.place / "provisioned").exists()
    assert state(server.connect) == EXPECTED
    for role in ("owner", "app", "reader"):
        psycopg2.connect(server.url(role, driver="postgresql")).close()


EXPECTED = {
    "roles": ["airflow", "mirpipe_app", "mirpipe_owner", "mirpipe_read"],
    "databases": ["airflow", "mirpipe"],
    "extensions": ["plpgsql", "vector"],
    "public locks": 0,
}


def state(connect: Callable[[str], connection]) -> dict[str, object]:
    def column(database: str, question: str) -> list[str]:
        with closing(connect(database)) as link, link.cursor() as sql:
            sql.execute(question)
            return [value for (value,) in sql.fetchall()]

    databases = column(
        "postgres",
        "SELECT datname::text FROM pg_database WHERE datname ~ '^(airflow|mirpipe)$' ORDER BY 1",
    )
    inside = "mirpipe" if "mirpipe" in databases else "postgres"
    return {
        "roles": column(
            "postgres",
            "SELECT rolname::text FROM pg_authid "
            "WHERE rolname ~ '^(airflow|mirpipe)' AND rolpassword LIKE 'SCRAM%' ORDER BY 1",
        ),
        "databases": databases,
        "extensions": column(inside, "SELECT extname::text FROM pg_extension ORDER BY 1"),
        "public locks": len(
            column(
                inside,
                "SELECT proname::text FROM pg_proc, aclexplode(coalesce(proacl, "
                "acldefault('f', proowner))) a WHERE proname ~ 'advisory.*lock' AND a.grantee = 0",
            )
        ),
    }


def dying_after(allowed: int) -> Callable[[EmbeddedPostgres, str], connection]:
    """A `connect` whose connections together run so many statements and then die."""
    left = iter(range(allowed))
    connect = EmbeddedPostgres.connect

    class Mortal(cursor):
        def execute(self, *statement: object) -> None:  # type: ignore[override]
            if next(left, None) is None:
                raise Killed
            super().execute(*statement)  # type: ignore[arg-type]

    def mortal(server: EmbeddedPostgres, database: str = "postgres") -> connection:
        link = connect(server, database)
        link.cursor_factory = Mortal
        return link

    return mortal


def setting(sql: cursor, name: str) -> object:
    sql.execute(f"SHOW {name}")
    row = sql.fetchone()
    return row and row[0]

"""Role privileges on the embedded server, and recovery from killed provisioning."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import extensions
from sqlalchemy import text

from mirpipe.db.roles import LOGINS, Role
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database, require_refused
from tests.support.servers import unprovision


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
    require_refused(fresh_database.app, statement)


def test_the_pipeline_writes_rows_and_loads_through_a_temporary_table(
    fresh_database: Database,
) -> None:
    with fresh_database.app.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE loading (n int) ON COMMIT DROP"))
        connection.execute(
            text(
                "INSERT INTO mirpipe.failure (stage, subject, reason, message, retry) "
                "VALUES ('embed', 's', 'r', 'm', true)"
            )
        )
    with fresh_database.reader.connect() as connection:
        assert connection.execute(text("SELECT subject FROM mirpipe.failure")).scalar() == "s"


@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("owner", "airflow"),
        ("app", "airflow"),
        ("reader", "airflow"),
        ("listener", "airflow"),
        ("airflow", "mirpipe"),
        ("owner", "postgres"),
        ("reader", "postgres"),
        ("listener", "postgres"),
        ("reader", "template1"),
    ],
)
def test_a_role_can_only_connect_to_its_own_database(
    embedded: EmbeddedPostgres, role: Role, database: str
) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(embedded.url(role, database, driver="postgresql"))


def test_a_new_role_cannot_connect_to_any_database(embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute("CREATE ROLE newcomer LOGIN")
        try:
            sql.execute(
                "SELECT array_agg(datname::text) FROM pg_database "
                "WHERE datallowconn AND has_database_privilege('newcomer', oid, 'CONNECT')"
            )
            assert sql.fetchone() == (None,)
        finally:
            sql.execute("DROP ROLE newcomer")


def test_airflow_owns_its_database(embedded: EmbeddedPostgres) -> None:
    url = embedded.url("airflow", "airflow", driver="postgresql")
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as sql:
        sql.execute("CREATE TABLE mine (n int)")
        sql.execute("DROP TABLE mine")
        sql.execute(
            "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database "
            "WHERE datname = current_database()"
        )
        assert sql.fetchone() == (True,)
        connection.rollback()


def test_no_role_has_special_attributes(embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute(
            "SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND NOT (rolsuper OR "
            "rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"
        )
        assert {name for (name,) in sql.fetchall()} == set(LOGINS.values())


# Killed provisioning -----------------------------------------------------------------------------


class Killed(BaseException):
    """Simulates kill -9: nothing runs after the statement that raises this exception."""


def test_provisioning_that_is_killed_at_any_statement_is_completed_by_the_next(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up()
    unprovision(server)
    assert state(server.connect)["roles"] == []

    attempts = 0
    for allowed in range(1, 200):
        with monkeypatch.context() as patch:
            patch.setattr(EmbeddedPostgres, "connect", connect_until_killed(allowed))
            try:
                server.up()
            except Killed:
                attempts += 1
                continue
        break
    assert attempts > 20
    assert (server.cluster_folder / "provisioned").exists()
    assert state(server.connect) == EXPECTED
    for role in ("owner", "app", "reader", "listener"):
        psycopg2.connect(server.url(role, driver="postgresql")).close()


EXPECTED = {
    "roles": ["airflow", "mirpipe_app", "mirpipe_listener", "mirpipe_owner", "mirpipe_read"],
    "databases": ["airflow", "mirpipe"],
    "extensions": ["plpgsql", "vector"],
    "public large objects": 0,
}


def state(connect: Callable[[str], extensions.connection]) -> dict[str, object]:
    """Return those objects created by provisioning that currently exist."""

    def column(database: str, query: str) -> list[str]:
        with closing(connect(database)) as connection, connection.cursor() as sql:
            sql.execute(query)
            return [value for (value,) in sql.fetchall()]

    databases = column(
        "postgres",
        "SELECT datname::text FROM pg_database WHERE datname ~ '^(airflow|mirpipe)$' ORDER BY 1",
    )
    database = "mirpipe" if "mirpipe" in databases else "postgres"
    return {
        "roles": column(
            "postgres",
            "SELECT rolname::text FROM pg_authid "
            "WHERE rolname ~ '^(airflow|mirpipe)' AND rolpassword LIKE 'SCRAM%' ORDER BY 1",
        ),
        "databases": databases,
        "extensions": column(database, "SELECT extname::text FROM pg_extension ORDER BY 1"),
        "public large objects": len(
            column(
                database,
                "SELECT proname::text FROM pg_proc, aclexplode(coalesce(proacl, "
                "acldefault('f', proowner))) a WHERE proname ~ '^lo_' AND a.grantee = 0",
            )
        ),
    }


def connect_until_killed(
    allowed: int,
) -> Callable[[EmbeddedPostgres, str], extensions.connection]:
    """Return a `connect` function that raises Killed after `allowed` statements in total."""
    remaining = iter(range(allowed))
    connect = EmbeddedPostgres.connect

    class LimitedCursor(extensions.cursor):
        def execute(self, *statement: object) -> None:  # type: ignore[override]
            if next(remaining, None) is None:
                raise Killed
            super().execute(*statement)  # type: ignore[arg-type]

    def limited_connect(
        server: EmbeddedPostgres, database: str = "postgres"
    ) -> extensions.connection:
        connection = connect(server, database)
        connection.cursor_factory = LimitedCursor
        return connection

    return limited_connect

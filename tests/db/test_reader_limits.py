"""Limits for readers: sessions, privileges and large objects."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2 import extensions
from psycopg2.errors import ReadOnlySqlTransaction

from mirpipe.db.roles import LOGINS
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database, require_refused

LIFT_LIMITS = "SET default_transaction_read_only = off; SET statement_timeout = 0; COMMIT; "


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
def test_a_reader_cannot_write_even_after_it_lifts_its_limits(
    fresh_database: Database, statement: str
) -> None:
    require_refused(fresh_database.reader, LIFT_LIMITS + statement)


def test_the_session_of_a_reader_is_read_only_and_limited(
    embedded: EmbeddedPostgres,
) -> None:
    with (
        closing(psycopg2.connect(embedded.url("reader", driver="postgresql"))) as connection,
        connection.cursor() as sql,
    ):
        assert setting(sql, "statement_timeout") == "30s"
        assert setting(sql, "idle_in_transaction_session_timeout") == "10min"
        assert setting(sql, "temp_file_limit") == "1GB"
        assert setting(sql, "search_path") == "mirpipe, public"
        with pytest.raises(ReadOnlySqlTransaction):
            sql.execute("CREATE TEMPORARY TABLE mine ()")


def test_no_role_can_use_large_objects(embedded: EmbeddedPostgres) -> None:
    with closing(embedded.connect("mirpipe")) as connection, connection.cursor() as sql:
        sql.execute(
            "SELECT count(*), count(*) FILTER (WHERE has_function_privilege(r, p.oid, 'EXECUTE')) "
            "FROM pg_proc p, unnest(%s) r WHERE p.proname ~ '^lo(_.*|read|write)$'",
            (list(LOGINS.values()),),
        )
        row = sql.fetchone()
        assert row
        assert row[0] > 40
        assert row[1] == 0


def setting(sql: extensions.cursor, name: str) -> object:
    sql.execute(f"SHOW {name}")
    row = sql.fetchone()
    return row and row[0]

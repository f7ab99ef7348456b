"""Who may do what: the roles of the embedded server, its two databases and their grants."""

from collections.abc import Callable, Mapping
from typing import Literal

from psycopg2.extensions import connection, cursor, encrypt_password
from psycopg2.sql import SQL, Identifier
from psycopg2.sql import Literal as Value

Role = Literal["owner", "app", "reader", "airflow"]

LOGINS: dict[str, str] = {
    "owner": "mirpipe_owner",
    "app": "mirpipe_app",
    "reader": "mirpipe_read",
    "airflow": "airflow",
}
OWNERS = {"mirpipe": "mirpipe_owner", "airflow": "airflow"}
"""The databases of the embedded server and who owns them."""

READER_LIMITS = {"default_transaction_read_only": "on", "statement_timeout": "30s"}
"""Courtesies: a user can lift them, so what a reader may do is settled by grants."""

_LOCK_OUT = """
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS signature, p.proname LIKE 'pg\\_%' AS locks
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND (p.proname ~ '^pg_.*advisory.*lock' OR p.proname ~ '^lo(_|read$|write$)')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f.signature);
        IF f.locks THEN
            EXECUTE format(
                'GRANT EXECUTE ON FUNCTION %s TO mirpipe_owner, mirpipe_app, airflow', f.signature);
        END IF;
    END LOOP;
END $$;
"""


def provision_embedded(connect: Callable[[str], connection], passwords: Mapping[str, str]) -> None:
    """Bring roles, databases and grants to what they should be, whatever is there already.

    `connect` gives an autocommit connection of the superuser to a database; `passwords` holds one
    a login. Safe to run again after being killed at any point.
    """
    admin = connect("postgres")
    try:
        with admin.cursor() as sql:
            for login in LOGINS.values():
                _role(sql, login, passwords[login])
            _limit_roles(sql)
            for database, owner in OWNERS.items():
                _database(sql, database, owner)
            sql.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")
    finally:
        admin.close()
    for database in OWNERS:
        inside = connect(database)
        try:
            with inside.cursor() as sql:
                sql.execute(_LOCK_OUT)
                if database == "mirpipe":
                    sql.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
                    sql.execute("ALTER EXTENSION vector UPDATE")
        finally:
            inside.close()


def grant_connect(sql: cursor, database: str) -> None:
    """Let the three roles, and nobody else, into a database of ours."""
    name = Identifier(database)
    sql.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    # the pipeline loads by COPY into a temporary table
    sql.execute(SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO mirpipe_app").format(name))
    sql.execute(SQL("GRANT CONNECT ON DATABASE {} TO mirpipe_read").format(name))


def _role(sql: cursor, login: str, password: str) -> None:
    sql.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,))
    if not sql.rowcount:
        sql.execute(SQL("CREATE ROLE {}").format(Identifier(login)))
    # only the verifier travels, so that no log can hold the password
    verifier = encrypt_password(password, login, sql.connection, "scram-sha-256")
    sql.execute(
        SQL(
            "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
        ).format(Identifier(login), Value(verifier))
    )


def _limit_roles(sql: cursor) -> None:
    for login in ("mirpipe_app", "mirpipe_read"):
        sql.execute(
            SQL("ALTER ROLE {} SET search_path = mirpipe, public").format(Identifier(login))
        )
    for name, value in READER_LIMITS.items():
        sql.execute(
            SQL("ALTER ROLE mirpipe_read SET {} = {}").format(Identifier(name), Value(value))
        )
    sql.execute("ALTER ROLE mirpipe_read SET temp_file_limit = '1GB'")


def _database(sql: cursor, database: str, owner: str) -> None:
    sql.execute("SELECT FROM pg_database WHERE datname = %s", (database,))
    if not sql.rowcount:
        sql.execute(
            SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database), Identifier(owner))
        )
    if database == "mirpipe":
        grant_connect(sql, database)
    else:
        sql.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(database)))

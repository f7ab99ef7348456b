"""mirpipe's roles: their logins, and how the roles and their databases are created."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Literal

from psycopg2 import extensions
from psycopg2.sql import SQL, Identifier
from psycopg2.sql import Literal as Value

from mirpipe.db.reader_limits import limit_reader_sessions, revoke_locks_and_large_objects

Role = Literal["owner", "app", "reader", "airflow"]

LOGINS: dict[str, str] = {
    "owner": "mirpipe_owner",
    "app": "mirpipe_app",
    "reader": "mirpipe_read",
    "airflow": "airflow",
}
"""Login per role."""
DATABASE_OWNERS = {"mirpipe": "mirpipe_owner", "airflow": "airflow"}
"""Owner of each database."""


def create_roles_and_databases(
    connect: Callable[[str], extensions.connection], passwords: Mapping[str, str]
) -> None:
    """Create all roles, databases and grants on a server that only mirpipe uses.

    `connect` opens an autocommit connection to a database as the superuser. `passwords` contains
    the password of each login. Existing roles also receive these passwords, and existing databases
    these grants. It is safe to call this again, even after a kill.
    """
    with closing(connect("postgres")) as admin, admin.cursor() as sql:
        for login in LOGINS.values():
            _create_role(sql, login, passwords[login])
        for login in ("mirpipe_app", "mirpipe_read"):
            sql.execute(
                SQL("ALTER ROLE {} SET search_path = mirpipe, public").format(Identifier(login))
            )
        limit_reader_sessions(sql)
        for database, owner in DATABASE_OWNERS.items():
            _create_database(sql, database, owner)
        sql.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")
    for database in DATABASE_OWNERS:
        with closing(connect(database)) as admin, admin.cursor() as sql:
            revoke_locks_and_large_objects(sql)
            if database == "mirpipe":
                sql.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
                sql.execute("ALTER EXTENSION vector UPDATE")


def grant_connect(sql: extensions.cursor, database: str) -> None:
    """Allow app and reader to connect to a database, and revoke this right from all other roles.

    The owner of the database can always connect.
    """
    name = Identifier(database)
    sql.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    # The pipeline loads rows into a temporary table with COPY.
    sql.execute(SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO mirpipe_app").format(name))
    sql.execute(SQL("GRANT CONNECT ON DATABASE {} TO mirpipe_read").format(name))


def _create_role(sql: extensions.cursor, login: str, password: str) -> None:
    """Create the role if it is missing, and set its password and attributes."""
    sql.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,))
    if not sql.rowcount:
        sql.execute(SQL("CREATE ROLE {}").format(Identifier(login)))
    # Only a hash of the password is sent, so that the password cannot appear in a server log.
    password_hash = extensions.encrypt_password(password, login, sql.connection, "scram-sha-256")
    sql.execute(
        SQL(
            "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
        ).format(Identifier(login), Value(password_hash))
    )


def _create_database(sql: extensions.cursor, database: str, owner: str) -> None:
    """Create the database if it is missing, and allow its roles to connect to it."""
    sql.execute("SELECT FROM pg_database WHERE datname = %s", (database,))
    if not sql.rowcount:
        sql.execute(
            SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database), Identifier(owner))
        )
    if database == "mirpipe":
        grant_connect(sql, database)
    else:
        sql.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(database)))

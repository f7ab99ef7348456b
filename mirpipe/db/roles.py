"""The roles of mirpipe: their logins, and how they and their databases are created."""

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
"""Owner per database."""


def create_roles_and_databases(
    connect: Callable[[str], extensions.connection], passwords: Mapping[str, str]
) -> None:
    """Create all roles, databases and grants of a server that only mirpipe uses.

    `connect` opens an autocommit connection of the superuser to a database. `passwords` contains
    the password per login. Existing roles get these passwords, and existing databases get these
    grants. It is safe to run this again, also after it was killed.
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
    """Allow app and reader to connect to a database, and revoke this from all other roles.

    Its owner can always connect.
    """
    name = Identifier(database)
    sql.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    # The pipeline loads rows by COPY into a temporary table.
    sql.execute(SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO mirpipe_app").format(name))
    sql.execute(SQL("GRANT CONNECT ON DATABASE {} TO mirpipe_read").format(name))


def _create_role(sql: extensions.cursor, login: str, password: str) -> None:
    """Create the role if it is missing, and set its password and its attributes."""
    sql.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,))
    if not sql.rowcount:
        sql.execute(SQL("CREATE ROLE {}").format(Identifier(login)))
    # Only a hash of the password is sent, so no log of the server can contain the password.
    password_hash = extensions.encrypt_password(password, login, sql.connection, "scram-sha-256")
    sql.execute(
        SQL(
            "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
        ).format(Identifier(login), Value(password_hash))
    )


def _create_database(sql: extensions.cursor, database: str, owner: str) -> None:
    """Create the database if it is missing, and grant its roles the right to connect to it."""
    sql.execute("SELECT FROM pg_database WHERE datname = %s", (database,))
    if not sql.rowcount:
        sql.execute(
            SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database), Identifier(owner))
        )
    if database == "mirpipe":
        grant_connect(sql, database)
    else:
        sql.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(database)))

"""Prepares a user's server that other programs can also use: pgvector, roles and grants."""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress

import psycopg2
from psycopg2 import extensions
from psycopg2.errors import InsufficientPrivilege, UndefinedObject
from psycopg2.sql import SQL, Composed, Identifier
from sqlalchemy import make_url

from mirpipe.db.engine import connection_error
from mirpipe.db.psql import psql_url
from mirpipe.errors import DatabaseError

OLDEST_PGVECTOR = (0, 8, 4)
"""Oldest supported version of pgvector. Earlier versions can corrupt HNSW indexes."""


def provision_shared_server(url: str, *, logins: Mapping[str, str | None] | None = None) -> None:
    """Create the objects that the migrations need, if they are missing. Change nothing else.

    These objects are the extension vector in the schema public, the roles mirpipe_app and
    mirpipe_read, and grants. The login in `url` will own mirpipe's tables. `logins` contains the
    login that each role is granted to. Raises DatabaseError if the login in `url` lacks the
    necessary privileges. The message then contains the SQL that a superuser must run.
    """
    try:
        connection = psycopg2.connect(
            psql_url(url), application_name="mirpipe set-up", connect_timeout=10
        )
    except psycopg2.OperationalError as error:
        raise connection_error(make_url(url), error) from error
    connection.autocommit = True
    with closing(connection), connection.cursor() as sql:
        _require_suitable_database(sql)
        for statement in _missing_statements(sql, logins or {}):
            # UndefinedObject means that the statement names a role that could not be created.
            with suppress(InsufficientPrivilege, UndefinedObject):
                sql.execute(statement)
        # Postgres reports no error if a login without the grant option runs GRANT, so check again.
        refused = [f"{s.as_string(connection)};" for s in _missing_statements(sql, logins or {})]
    if refused:
        raise DatabaseError(
            "This login does not have the privileges to prepare the database. Run this SQL in the "
            "database as a superuser, and then run the command again:\n\n" + "\n".join(refused)
        )


def _require_suitable_database(sql: extensions.cursor) -> None:
    """Raise DatabaseError if the encoding, pgvector or its schema is unsuitable."""
    encoding = _value(sql, "SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"The database has the encoding {encoding}, but mirpipe needs UTF8. Create a database "
            "with the encoding UTF8, and set MIRPIPE_DATABASE_URL to its URL."
        )
    available = _value(
        sql, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
    )
    if available is None or _version(available) < OLDEST_PGVECTOR:
        oldest = ".".join(str(part) for part in OLDEST_PGVECTOR)
        raise DatabaseError(
            f"The server has {f'pgvector {available}' if available else 'no pgvector'}, but "
            f"mirpipe needs {oldest} or newer. Install it on the server "
            "(https://github.com/pgvector/pgvector#installation)."
        )
    schema = _value(
        sql,
        "SELECT min(extnamespace::regnamespace::text) FROM pg_extension WHERE extname = 'vector'",
    )
    if schema not in (None, "public"):
        raise DatabaseError(
            f"The extension pgvector is in the schema {schema}, but mirpipe needs it in public. "
            "Run ALTER EXTENSION vector SET SCHEMA public in the database."
        )


def _missing_statements(
    sql: extensions.cursor, logins: Mapping[str, str | None]
) -> Iterator[SQL | Composed]:
    """Yield the statements that are still necessary, in the order in which they must run.

    Run each statement before you take the next one, because later checks depend on it.
    """
    installed = _value(sql, "SELECT min(extversion) FROM pg_extension WHERE extname = 'vector'")
    if installed is None:
        yield SQL("CREATE EXTENSION vector SCHEMA public")
    elif _version(installed) < OLDEST_PGVECTOR:
        yield SQL("ALTER EXTENSION vector UPDATE")
    for role in ("mirpipe_app", "mirpipe_read"):
        if not _role_exists(sql, role):
            yield SQL("CREATE ROLE {}").format(Identifier(role))
        login = logins.get(role)
        # If the role could not be created, `_has_role` would fail.
        if login and not (_role_exists(sql, role) and _has_role(sql, login, role)):
            yield SQL("GRANT {} TO {}").format(Identifier(role), Identifier(login))
    owner, database = str(_value(sql, "SELECT current_user")), sql.connection.info.dbname
    if not _value(sql, "SELECT has_database_privilege(current_database(), 'CREATE')"):
        yield SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            Identifier(database), Identifier(owner)
        )
    if not _value(sql, "SELECT has_schema_privilege('public', 'CREATE')"):
        yield SQL("GRANT CREATE ON SCHEMA public TO {}").format(Identifier(owner))
    loader = "mirpipe_app" if _role_exists(sql, "mirpipe_app") else "public"
    if not _value(sql, "SELECT has_database_privilege(%s, current_database(), 'TEMP')", loader):
        yield SQL("GRANT TEMPORARY ON DATABASE {} TO mirpipe_app").format(Identifier(database))


def _version(version: object) -> tuple[int, ...]:
    return tuple(int(part) for part in str(version).split("."))


def _role_exists(sql: extensions.cursor, name: str) -> bool:
    return bool(_value(sql, "SELECT count(*) FROM pg_roles WHERE rolname = %s", name))


def _has_role(sql: extensions.cursor, login: str, role: str) -> bool:
    """Return whether the login has the role. Also returns True if the login does not exist."""
    return not _role_exists(sql, login) or bool(
        _value(sql, "SELECT pg_has_role(%s, %s, 'USAGE')", login, role)
    )


def _value(sql: extensions.cursor, query: str, *parameters: str) -> object:
    """Return the first value of the first row, or None if there is no row."""
    sql.execute(query, parameters)
    row = sql.fetchone()
    return row[0] if row else None

"""Prepares a user's server for mirpipe, or reports what is missing on it."""

from collections.abc import Iterator
from contextlib import closing, suppress

import psycopg2
from psycopg2 import errors, extensions
from sqlalchemy import URL, make_url

from mirpipe.db.accounts import accounts_in_settings, setting_of, url_of
from mirpipe.db.connection_error import connection_error
from mirpipe.db.oldest_versions import outdated_versions, version_parts
from mirpipe.db.provision_sql import (
    Statement,
    provision_statements,
    psql_script,
    run_statement,
    run_statements,
)
from mirpipe.db.psql import psql_url
from mirpipe.db.roles import GROUPS
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.settings import settings

_REMEDY = (
    "Run `mirpipe db provision`: it prints the SQL that an administrator of the server must run, "
    "or runs it if MIRPIPE_SUPERUSER_URL is set."
)
_REFUSED = (errors.InsufficientPrivilege, errors.UndefinedObject, errors.InvalidSchemaName)


def provision_script() -> str:
    """Return SQL for psql that creates the roles, databases and grants which the settings name.

    It contains no password, only what Postgres stores of it. Raises ConfigurationError if the
    settings name no server, or contradict each other.
    """
    return psql_script(_statements())


def provision_user_server(superuser_url: str) -> None:
    """Create the roles, databases and grants which the settings name, as a superuser.

    It is safe to call this again, even after a kill. Raises ConfigurationError if the settings
    contradict each other, and DatabaseError if Postgres or pgvector is too old, or if the login in
    the URL lacks a privilege.
    """
    statements = _statements()
    try:
        superuser = make_url(superuser_url)
    except ValueError as error:
        raise ConfigurationError("MIRPIPE_SUPERUSER_URL is not a URL. Correct it.") from error

    def connect_to(database: str) -> extensions.connection:
        if database == "postgres":
            database = superuser.database or database
        return _connect(superuser.set(database=database), "MIRPIPE_SUPERUSER_URL")

    with closing(connect_to("postgres")) as connection, connection.cursor() as sql:
        _require_versions(sql)
    try:
        run_statements(statements, connect_to)
    except errors.InsufficientPrivilege as error:
        cause = str(error).partition("\n")[0]
        raise DatabaseError(
            f"The login {superuser.username} in MIRPIPE_SUPERUSER_URL lacks a privilege ({cause}). "
            "Use the login of a superuser, or run `mirpipe db provision` without "
            "MIRPIPE_SUPERUSER_URL and give the SQL that it prints to an administrator."
        ) from error


def require_provisioned() -> None:
    """Raise DatabaseError if the migrations lack something on the user's server.

    If the owner's login has enough privileges, what is missing is created instead.
    """
    connection = _connect(url_of("owner"), setting_of("owner"))
    with closing(connection), connection.cursor() as sql:
        _require_suitable_database(sql)
        if not list(_missing(sql)):
            return
        with suppress(ConfigurationError):
            _create_what_the_owner_can(sql, _statements())
        missing = list(_missing(sql))
    if missing:
        raise DatabaseError(f"The server is not ready for mirpipe: {'; '.join(missing)}. {_REMEDY}")


def _statements() -> list[Statement]:
    if settings().database_url is None:
        raise ConfigurationError(
            "MIRPIPE_DATABASE_URL is not set, so mirpipe uses the embedded server, which it "
            "prepares itself. To use your own server, set MIRPIPE_DATABASE_URL to "
            "postgresql://mirpipe_app:PASSWORD@host:port/mirpipe, MIRPIPE_OWNER_URL and "
            "MIRPIPE_READER_URL to the same with mirpipe_owner and mirpipe_read, and run "
            "`mirpipe db provision` again."
        )
    return provision_statements(accounts_in_settings())


def _create_what_the_owner_can(sql: extensions.cursor, statements: list[Statement]) -> None:
    """Run the statements for the connected database. Skip those that Postgres refuses."""
    for statement in statements:
        if statement.database in (None, sql.connection.info.dbname):
            with suppress(*_REFUSED):
                run_statement(sql, statement)


def _connect(url: URL, setting: str) -> extensions.connection:
    try:
        connection = psycopg2.connect(
            psql_url(url.render_as_string(hide_password=False)),
            application_name="mirpipe set-up",
            connect_timeout=10,
        )
    except psycopg2.OperationalError as error:
        raise connection_error(url, setting, error) from error
    connection.autocommit = True
    return connection


def _require_versions(sql: extensions.cursor) -> None:
    """Raise DatabaseError if Postgres or the pgvector on the server is missing or too old."""
    available = _value(
        sql, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
    )
    pgvector = None if available is None else version_parts(str(available))
    if outdated := outdated_versions(sql.connection.server_version // 10_000, pgvector):
        raise DatabaseError(
            f"The server is too old for mirpipe: {'; '.join(outdated)}. Install newer versions on "
            "the server; docs/how-to/own-server.md says how."
        )


def _require_suitable_database(sql: extensions.cursor) -> None:
    """Raise DatabaseError if a version, the encoding, or pgvector's schema is unsuitable."""
    _require_versions(sql)
    encoding = _value(sql, "SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"The database has the encoding {encoding}, but mirpipe needs UTF8. Name a new "
            f"database in {setting_of('owner')} and the other URLs. {_REMEDY}"
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


def _missing(sql: extensions.cursor) -> Iterator[str]:
    """Yield a description of everything that the migrations or the roles lack."""
    installed = _value(sql, "SELECT min(extversion) FROM pg_extension WHERE extname = 'vector'")
    if installed is None:
        yield "the extension vector is not installed in the database"
    elif outdated_versions(sql.connection.server_version // 10_000, version_parts(str(installed))):
        yield f"the extension vector is at version {installed} in the database"
    for role, group in GROUPS.items():
        login = url_of(role).username  # type: ignore[arg-type]  # The keys of GROUPS are roles.
        setting = setting_of(role)  # type: ignore[arg-type]
        if login and not _exists(sql, login):
            yield f"there is no login {login}, which {setting} names"
        elif not _exists(sql, group):
            yield f"there is no role {group}"
        elif login and not _value(sql, "SELECT pg_has_role(%s, %s, 'USAGE')", login, group):
            yield f"the login {login}, which {setting} names, does not have the role {group}"
    owner = _value(sql, "SELECT current_user")
    for place, query in (
        ("the database", "SELECT has_database_privilege(current_database(), 'CREATE')"),
        ("the schema public", "SELECT has_schema_privilege('public', 'CREATE')"),
    ):
        if not _value(sql, query):
            yield f"the login {owner}, which {setting_of('owner')} names, cannot create in {place}"
    loader = "SELECT has_database_privilege('mirpipe_app', current_database(), 'TEMP')"
    if _exists(sql, "mirpipe_app") and not _value(sql, loader):
        yield "the role mirpipe_app cannot create temporary tables"


def _exists(sql: extensions.cursor, role: str) -> bool:
    return bool(_value(sql, "SELECT count(*) FROM pg_roles WHERE rolname = %s", role))


def _value(sql: extensions.cursor, query: str, *parameters: str) -> object:
    """Return the first value of the first row, or None if there is no row."""
    sql.execute(query, parameters)
    row = sql.fetchone()
    return row[0] if row else None

"""Creates one SQLAlchemy engine per role and process, for the configured or embedded server."""

import os
from typing import Any, Literal

import psycopg2
from psycopg2 import errors, extensions
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.reader_limits import READER_LIMITS
from mirpipe.db.roles import LOGINS
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.settings import settings

PipelineRole = Literal["owner", "app", "reader"]

_OUTDATED_SCHEMA_ERRORS = (
    errors.InvalidSchemaName,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedTable,
)

_engines: dict[tuple[PipelineRole, int], Engine] = {}
"""Engines by role and process id."""


def engine(role: PipelineRole) -> Engine:
    """Return this process's engine for a role.

    Starts the embedded server if it is used and not running. On a user's server, a role without
    its own URL uses MIRPIPE_DATABASE_URL. If app or reader shares its URL with another role, its
    sessions run SET ROLE to mirpipe_app or mirpipe_read. They do not run it if the role does not
    exist or is not granted to their login. Connecting raises DatabaseError if the server cannot be
    reached.
    """
    key = (role, os.getpid())  # A forked child must not use its parent's connections.
    if key not in _engines:
        _engines[key] = _create_engine(role)
    return _engines[key]


def database_url(role: PipelineRole) -> str:
    """Return the URL for `role`, including the password. It starts with `postgresql+psycopg2://`.

    Starts the embedded server if it is used and not running. Raises ConfigurationError if the
    setting is not the URL of a Postgres database.
    """
    return _url(role).render_as_string(hide_password=False)


def close_engines() -> None:
    """Close the engines of this process. Later engines use the settings at their creation."""
    for key in [key for key in _engines if key[1] == os.getpid()]:
        _engines.pop(key).dispose()


def connection_error(url: URL, error: psycopg2.OperationalError) -> DatabaseError:
    """Return the error for a server that cannot be reached. The message omits the password."""
    cause = " ".join(str(error).split())
    remedy = "Start the embedded server with `mirpipe db up`."
    if settings().database_url is not None:
        remedy = "Check that the server is running and that MIRPIPE_DATABASE_URL is correct."
    return DatabaseError(f"Cannot connect to {url} ({cause}). {remedy}")


def _create_engine(role: PipelineRole) -> Engine:
    url = _url(role)
    new_engine = create_engine(
        url, pool_pre_ping=True, connect_args={"application_name": "mirpipe", "connect_timeout": 10}
    )

    @event.listens_for(new_engine, "do_connect")
    def connect(_dialect: Any, _record: Any, args: Any, options: Any) -> extensions.connection:
        """Open a connection. Raises DatabaseError if the server cannot be reached."""
        try:
            connection: extensions.connection = psycopg2.connect(*args, **options)
        except psycopg2.OperationalError as error:
            raise connection_error(url, error) from error
        return connection

    @event.listens_for(new_engine, "connect")
    def prepare_session(connection: extensions.connection, _record: Any) -> None:
        """Set the role, search path and limits of a new session."""
        with connection.cursor() as sql:
            if _shares_its_url(role) and _can_set_role(connection, LOGINS[role]):
                sql.execute(f"SET ROLE {LOGINS[role]}")
            if role != "owner":
                sql.execute("SET search_path = mirpipe, public")
            if role == "reader":
                for name, value in READER_LIMITS.items():
                    sql.execute(f"SET {name} = '{value}'")
        connection.commit()

    @event.listens_for(new_engine, "handle_error")
    def explain_outdated_schema(context: ExceptionContext) -> None:
        """Raise DatabaseError with a remedy if a table, column or function is missing."""
        if isinstance(context.original_exception, _OUTDATED_SCHEMA_ERRORS):
            cause = str(context.original_exception).partition("\n")[0]
            raise DatabaseError(
                f"The database does not have the schema of this mirpipe version ({cause}). "
                "Run `mirpipe db migrate`."
            ) from context.original_exception

    return new_engine


def _url(role: PipelineRole) -> URL:
    configured = settings()
    if configured.database_url is None:
        server = embedded_server(configured.home)
        server.up()
        return make_url(server.url(role))
    role_urls = {"owner": configured.owner_url, "app": None, "reader": configured.reader_url}
    role_url = role_urls[role]
    setting = f"MIRPIPE_{role.upper()}_URL" if role_url else "MIRPIPE_DATABASE_URL"
    return _parse_url(role_url or configured.database_url, setting)


def _parse_url(url_text: str, setting: str) -> URL:
    """Return the URL with the driver psycopg2, because `postgresql://` could use another driver.

    Raises ConfigurationError, with the name of the setting, if it is not a Postgres URL.
    """
    try:
        url = make_url(url_text)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"{setting} is not a URL. Set it to postgresql://user:password@host:port/database."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"{setting} is a URL of {url.drivername}, but mirpipe needs Postgres. Set it to "
            "postgresql://user:password@host:port/database."
        )
    return url.set(drivername="postgresql+psycopg2")


def _shares_its_url(role: PipelineRole) -> bool:
    """Return whether `role` is app or reader and shares its URL with another role.

    Only URLs of a user's server can be shared.
    """
    configured = settings()
    if configured.database_url is None or role == "owner":
        return False
    return (configured.owner_url if role == "app" else configured.reader_url) is None


def _can_set_role(connection: extensions.connection, role: str) -> bool:
    """Return whether the role exists and the connected login is allowed to SET ROLE to it."""
    privilege = "SET" if connection.server_version >= 160000 else "MEMBER"
    with connection.cursor() as sql:
        sql.execute(
            "SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, %s)", (role, privilege)
        )
        return sql.rowcount == 1

"""Creates one SQLAlchemy engine per role and process, for the configured or embedded server."""

import os
from typing import Any, Literal

import psycopg2
from psycopg2 import errors, extensions
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url

from mirpipe.db.accounts import setting_of, url_of
from mirpipe.db.connection_error import connection_error
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.reader_limits import READER_LIMITS
from mirpipe.db.roles import LOGINS
from mirpipe.errors import DatabaseError
from mirpipe.settings import settings

PipelineRole = Literal["owner", "app", "reader", "listener"]

_OUTDATED_SCHEMA_ERRORS = (
    errors.InvalidSchemaName,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedTable,
)

_HAS_SCHEMA = "SELECT to_regnamespace('mirpipe') IS NOT NULL"

_engines: dict[tuple[PipelineRole, int], Engine] = {}
"""Engines by role and process id."""


def engine(role: PipelineRole) -> Engine:
    """Return this process's engine for a role.

    Starts the embedded server if it is used and not running, and creates its schema if a role other
    than the owner finds none. On a user's server, a role without its own URL uses
    MIRPIPE_DATABASE_URL. If a role other than the owner shares its URL with another role, its
    sessions run SET ROLE to its role in LOGINS. They do not run it if the role does not exist or is
    not granted to their login. Connecting raises DatabaseError if the server cannot be reached.
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
            raise connection_error(url, _setting(role), error) from error
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
    def explain_missing_objects(context: ExceptionContext) -> None:
        """Raise DatabaseError with a remedy if an object or a privilege is missing."""
        error = context.original_exception
        cause = str(error).partition("\n")[0]
        if isinstance(error, _OUTDATED_SCHEMA_ERRORS):
            raise DatabaseError(
                f"The database does not have the schema of this mirpipe version ({cause}). "
                "Run `mirpipe db migrate`."
            ) from error
        # Readers write their own SQL, which is refused as intended.
        setting = _setting(role)
        if role != "reader" and setting and isinstance(error, errors.InsufficientPrivilege):
            raise DatabaseError(
                f"The login {url.username} lacks a privilege ({cause}). Check that {setting} has "
                f"the login of the role {role}, and run `mirpipe db provision`: it prints the SQL "
                "for the missing privileges."
            ) from error

    return new_engine


def _url(role: PipelineRole) -> URL:
    configured = settings()
    if configured.database_url is None:
        server = embedded_server(configured.home)
        server.up()
        if role != "owner":
            _create_missing_schema()
        return make_url(server.url(role))
    return url_of(role)


def has_schema() -> bool:
    """Return whether the database has mirpipe's schema, of whatever version. Changes nothing."""
    with engine("owner").connect() as connection:
        return bool(connection.exec_driver_sql(_HAS_SCHEMA).scalar_one())


def _create_missing_schema() -> None:
    """Create the schema if the embedded server's database has none, so that any command works.

    A schema of another version is not changed: `mirpipe db migrate` and `mirpipe up` update it.
    """
    if not has_schema():
        from mirpipe.db.migrate import migrate  # This module uses the engine of the owner.

        migrate()


def _setting(role: PipelineRole) -> str | None:
    """Return the setting that contains the role's URL, or None for the embedded server."""
    return None if settings().database_url is None else setting_of(role)


def _shares_its_url(role: PipelineRole) -> bool:
    """Return whether `role` is not the owner and shares its URL with another role.

    Only URLs of a user's server can be shared.
    """
    configured = settings()
    if configured.database_url is None or role == "owner":
        return False
    own_url = {
        "app": configured.owner_url,
        "reader": configured.reader_url,
        "listener": configured.listener_url,
    }[role]
    return own_url is None


def _can_set_role(connection: extensions.connection, role: str) -> bool:
    """Return whether the role exists and the connected login is allowed to SET ROLE to it."""
    privilege = "SET" if connection.server_version >= 160000 else "MEMBER"
    with connection.cursor() as sql:
        sql.execute(
            "SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, %s)", (role, privilege)
        )
        return sql.rowcount == 1

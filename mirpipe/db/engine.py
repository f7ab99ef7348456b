"""One SQLAlchemy engine a role and process, to the server of the settings or the embedded one."""

import os
from typing import Any, Literal

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.roles import LOGINS, READER_LIMITS
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.settings import settings

PipelineRole = Literal["owner", "app", "reader"]

_OUT_OF_DATE = (
    errors.InvalidSchemaName,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedTable,
)

_made: dict[tuple[PipelineRole, int], Engine] = {}


def engine(role: PipelineRole) -> Engine:
    """The engine of this process that connects as `role`; starts the embedded server if need be.

    On a server of the user's, a role without a URL of its own shares MIRPIPE_DATABASE_URL, and so
    does app where there is no MIRPIPE_OWNER_URL; it then becomes mirpipe_app or mirpipe_read by
    SET ROLE where that role exists and is granted, and else stays who it is. Connecting raises
    DatabaseError where the server cannot be reached.
    """
    key = (role, os.getpid())  # a forked child must not share its parent's connections
    if key not in _made:
        _made[key] = _make(role)
    return _made[key]


def database_url(role: PipelineRole) -> str:
    """The URL of `role`, password included, always `postgresql+psycopg2://`."""
    return _url(role).render_as_string(hide_password=False)


def forget_engines() -> None:
    """Close this process's engines; the next ones follow the settings as they are then."""
    for key in [key for key in _made if key[1] == os.getpid()]:
        _made.pop(key).dispose()


def unreachable(url: URL, error: psycopg2.OperationalError) -> DatabaseError:
    """What to tell a user whose server does not answer; the password is left out."""
    remedy = "start the embedded server with `mirpipe db up`"
    if settings().database_url is not None:
        remedy = "check that the server runs and that MIRPIPE_DATABASE_URL is right"
    return DatabaseError(f"no connection to {url}: {str(error).strip()}; {remedy}")


def _make(role: PipelineRole) -> Engine:
    url = _url(role)
    made = create_engine(
        url, pool_pre_ping=True, connect_args={"application_name": "mirpipe", "connect_timeout": 10}
    )

    @event.listens_for(made, "do_connect")
    def reach(_dialect: Any, _record: Any, args: Any, options: Any) -> connection:
        try:
            link: connection = psycopg2.connect(*args, **options)
        except psycopg2.OperationalError as error:
            raise unreachable(url, error) from error
        return link

    @event.listens_for(made, "connect")
    def prepare(link: connection, _record: Any) -> None:
        with link.cursor() as sql:
            if _shares_its_url(role) and _may_become(link, LOGINS[role]):
                sql.execute(f"SET ROLE {LOGINS[role]}")
            if role != "owner":
                sql.execute("SET search_path = mirpipe, public")
            if role == "reader":
                for name, value in READER_LIMITS.items():
                    sql.execute(f"SET {name} = '{value}'")
        link.commit()

    @event.listens_for(made, "handle_error")
    def explain(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, _OUT_OF_DATE):
            said = str(context.original_exception).partition("\n")[0]
            raise DatabaseError(
                f"the database cannot be used as it is ({said}); "
                "bring it up to date with `mirpipe db migrate`"
            ) from context.original_exception

    return made


def _url(role: PipelineRole) -> URL:
    chosen = settings()
    if chosen.database_url is None:
        server = embedded_server(chosen.home)
        server.up()
        return make_url(server.url(role))
    own = {"owner": chosen.owner_url, "app": None, "reader": chosen.reader_url}[role]
    name = f"MIRPIPE_{role.upper()}_URL" if own else "MIRPIPE_DATABASE_URL"
    return _postgres(own or chosen.database_url, name)


def _postgres(written: str, name: str) -> URL:
    """`written` as SQLAlchemy wants it, which takes bare `postgresql://` for another driver's."""
    try:
        url = make_url(written)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"{name} is not a URL: write postgresql://user:password@host:port/database"
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(f"{name} names {url.drivername}, and mirpipe needs postgresql")
    return url.set(drivername="postgresql+psycopg2")


def _shares_its_url(role: PipelineRole) -> bool:
    chosen = settings()
    if chosen.database_url is None or role == "owner":
        return False
    return (chosen.owner_url if role == "app" else chosen.reader_url) is None


def _may_become(link: connection, login: str) -> bool:
    privilege = "SET" if link.server_version >= 160000 else "MEMBER"
    with link.cursor() as sql:
        sql.execute(
            "SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, %s)", (login, privilege)
        )
        return sql.rowcount == 1

"""Prepares a server of the user's: pgvector, and the roles that the migrations grant to."""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress

import psycopg2
from psycopg2.errors import InsufficientPrivilege, UndefinedObject
from psycopg2.extensions import cursor
from psycopg2.sql import SQL, Composed, Identifier
from sqlalchemy import make_url

from mirpipe.db.engine import unreachable
from mirpipe.db.psql import psql_url
from mirpipe.errors import DatabaseError

OLDEST_PGVECTOR = (0, 8, 4)
"""Before it, HNSW indexes could be corrupted."""


def provision(url: str, *, logins: Mapping[str, str | None] | None = None) -> None:
    """Make what is missing on the server at `url`, whose login is to own mirpipe's tables.

    That is: the extension vector in schema public, the roles mirpipe_app and mirpipe_read, and
    their grant to `logins` (role to the login that is to act as it). Nothing that is there is
    changed. Raises DatabaseError with the SQL for a superuser where this login may not.
    """
    try:
        link = psycopg2.connect(
            psql_url(url), application_name="mirpipe set-up", connect_timeout=10
        )
    except psycopg2.OperationalError as error:
        raise unreachable(make_url(url), error) from error
    link.autocommit = True
    with closing(link), link.cursor() as sql:
        _refuse_what_no_grant_mends(sql)
        for statement in _missing(sql, logins or {}):
            # UndefinedObject: a role that could not be made
            with suppress(InsufficientPrivilege, UndefinedObject):
                sql.execute(statement)
        # asked again, since a GRANT without the right to grant is no error to Postgres
        refused = [f"{missing.as_string(link)};" for missing in _missing(sql, logins or {})]
    if refused:
        raise DatabaseError(
            "this login may not prepare the database; as a superuser, in this database, run:\n\n"
            + "\n".join(refused)
        )


def _refuse_what_no_grant_mends(sql: cursor) -> None:
    encoding = _one(sql, "SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(f"the database's encoding is {encoding}: create one with UTF8")
    offered = _one(sql, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    if offered is None or _version(offered) < OLDEST_PGVECTOR:
        oldest = ".".join(str(part) for part in OLDEST_PGVECTOR)
        raise DatabaseError(
            f"the server has {f'pgvector {offered}' if offered else 'no pgvector'}: install "
            f"{oldest} or newer there (https://github.com/pgvector/pgvector#installation)"
        )
    schema = _one(
        sql,
        "SELECT min(extnamespace::regnamespace::text) FROM pg_extension WHERE extname = 'vector'",
    )
    if schema not in (None, "public"):
        raise DatabaseError(
            f"pgvector is in schema {schema}: move it with ALTER EXTENSION vector SET SCHEMA public"
        )


def _missing(sql: cursor, logins: Mapping[str, str | None]) -> Iterator[SQL | Composed]:
    """Statements that are still to be run, each asked for when those before it have been."""
    found = _one(sql, "SELECT min(extversion) FROM pg_extension WHERE extname = 'vector'")
    if found is None:
        yield SQL("CREATE EXTENSION vector SCHEMA public")
    elif _version(found) < OLDEST_PGVECTOR:
        yield SQL("ALTER EXTENSION vector UPDATE")
    for role in ("mirpipe_app", "mirpipe_read"):
        if not _is_role(sql, role):
            yield SQL("CREATE ROLE {}").format(Identifier(role))
        login = logins.get(role)
        # where the role could not be made, nobody can ask who has it
        if login and not (_is_role(sql, role) and _acts_as(sql, login, role)):
            yield SQL("GRANT {} TO {}").format(Identifier(role), Identifier(login))
    owner, database = str(_one(sql, "SELECT current_user")), sql.connection.info.dbname
    if not _one(sql, "SELECT has_database_privilege(current_database(), 'CREATE')"):
        yield SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            Identifier(database), Identifier(owner)
        )
    if not _one(sql, "SELECT has_schema_privilege('public', 'CREATE')"):
        yield SQL("GRANT CREATE ON SCHEMA public TO {}").format(Identifier(owner))
    loader = "mirpipe_app" if _is_role(sql, "mirpipe_app") else "public"
    if not _one(sql, "SELECT has_database_privilege(%s, current_database(), 'TEMP')", loader):
        yield SQL("GRANT TEMPORARY ON DATABASE {} TO mirpipe_app").format(Identifier(database))


def _version(written: object) -> tuple[int, ...]:
    return tuple(int(part) for part in str(written).split("."))


def _is_role(sql: cursor, name: str) -> bool:
    return bool(_one(sql, "SELECT count(*) FROM pg_roles WHERE rolname = %s", name))


def _acts_as(sql: cursor, login: str, role: str) -> bool:
    return not _is_role(sql, login) or bool(
        _one(sql, "SELECT pg_has_role(%s, %s, 'USAGE')", login, role)
    )


def _one(sql: cursor, question: str, *values: str) -> object:
    sql.execute(question, values)
    row = sql.fetchone()
    return row[0] if row else None

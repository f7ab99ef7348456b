"""Database checks: versions, migrations and views, roles, clock, search indexes, idle locks."""

from collections.abc import Iterator
from typing import get_args

from sqlalchemy import Connection

from mirpipe.db import health
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import PipelineRole, engine
from mirpipe.db.migrate import can_read_revision, current, head
from mirpipe.db.oldest_versions import outdated_versions
from mirpipe.db.reader_login import REMEDY, privilege_beyond_reading
from mirpipe.db.schema_file_record import outdated_files
from mirpipe.db.search_index import search_indexes
from mirpipe.operations.doctor.finding import Finding, ok, problem, shorten, warning
from mirpipe.settings import settings

CLOCK_WARNING_SECONDS, CLOCK_PROBLEM_SECONDS = 2.0, 60.0
"""Clock differences above which a warning or a problem is reported, in seconds."""
IDLE_SECONDS = 3600.0
"""Idle time after which a session with a lock or an open transaction is reported, in seconds."""


def is_up() -> bool:
    """Return whether there is a server to connect to, without starting the embedded server."""
    return settings().database_url is not None or embedded_server(settings().home).pid is not None


def check() -> Iterator[Finding]:
    """Run all database checks. Yields one warning if the embedded server is not running."""
    if not is_up():
        message = "the embedded Postgres is not running, so the database was not checked"
        remedy = "run `mirpipe db up`, then `mirpipe doctor` again"
        yield warning("database", message, remedy)
        return
    for role in get_args(PipelineRole):
        with engine(role).connect():
            pass
    with engine("reader").connect() as reader:
        yield from versions(reader)
        yield from roles(reader)
        yield from clock(reader)
        yield from migrations(reader)
        yield from search(reader)
    with engine("app").connect() as app:
        yield from sessions(app)


def versions(connection: Connection) -> Iterator[Finding]:
    """Check the versions of Postgres and pgvector."""
    server = health.server_versions(connection)
    if outdated := outdated_versions(server.postgres[0], server.pgvector):
        remedy = "install newer versions on the server, then run `mirpipe db provision`"
        yield problem("database", "; ".join(outdated), remedy)
        return
    postgres, pgvector = (".".join(map(str, v)) for v in (server.postgres, server.pgvector or ()))
    yield ok("database", f"Postgres {postgres}, pgvector {pgvector}")


def migrations(connection: Connection) -> Iterator[Finding]:
    """Check whether tables, views and descriptions match this version of mirpipe.

    Without the owner's login, the revision of the tables cannot be read. Then only the views are
    checked.
    """
    is_readable, newest = can_read_revision(), head()
    if is_readable and (revision := current()) != newest:
        message = f"the schema is at {revision or 'nothing'}, but mirpipe needs {newest}"
        remedy = "run `mirpipe db migrate`; if the schema is newer, update mirpipe"
        yield problem("migrations", message, remedy)
    elif outdated := outdated_files(connection):
        message = f"the views do not match this version of mirpipe: {shorten(outdated)}"
        yield problem("migrations", message, "run `mirpipe db migrate`")
    elif is_readable:
        yield ok("migrations", f"the schema is at {newest}, the newest revision")
    else:
        message = "the views match; the revision was not read, because MIRPIPE_OWNER_URL is not set"
        yield ok("migrations", message)


def search(connection: Connection) -> Iterator[Finding]:
    """Check whether searches in a large library have an index."""
    indexes = search_indexes(connection)
    for index in indexes:
        if index.is_missing:
            message = (
                f"a search with {index.encoder} compares {index.reference_count:,} references, "
                "because there is no index"
            )
            yield warning("search", message, "run `mirpipe db index`")
    if not any(index.is_missing for index in indexes):
        yield ok("search", "no encoder needs another search index")


def roles(connection: Connection) -> Iterator[Finding]:
    """Check whether the roles exist and have the right permissions."""
    if missing := health.missing_roles(connection):
        yield problem("roles", f"missing: {', '.join(missing)}", "run `mirpipe db provision`")
        return
    if wrong := health.wrong_grants(connection):
        remedy = "grant or revoke them as the owner (migrations/versions contains all grants)"
        yield problem("roles", shorten(wrong), remedy)
        return
    if privilege := privilege_beyond_reading(connection):
        message = f"the reader's login can do more than read, so the SQL page is off: {privilege}"
        yield warning("roles", message, REMEDY)
    yield ok("roles", "all four roles can connect and have the right permissions")


def clock(connection: Connection) -> Iterator[Finding]:
    """Check that the database's clock and this machine's clock agree.

    Tables contain times from both clocks.
    """
    difference = health.clock_difference(connection)
    if abs(difference) <= CLOCK_WARNING_SECONDS:
        yield ok("clock", "the database's clock agrees with this machine's clock")
        return
    level = problem if abs(difference) > CLOCK_PROBLEM_SECONDS else warning
    direction = "ahead" if difference > 0 else "behind"
    message = f"the database's clock is {abs(difference):.0f} s {direction}"
    yield level("clock", message, "synchronise both clocks with NTP")


def sessions(connection: Connection, *, idle_seconds: float = IDLE_SECONDS) -> Iterator[Finding]:
    """Check for idle sessions with a lock or an open transaction. They can block others."""
    idle = health.idle_sessions(connection, seconds=idle_seconds)
    for session in idle:
        application = session.application or "a session"
        message = f"{application} holds a lock but has been idle for {session.idle_seconds:.0f} s"
        remedy = f"if its process no longer works: SELECT pg_terminate_backend({session.pid})"
        yield warning("locks", message, remedy)
    if not idle:
        yield ok("locks", "no idle session holds a lock")

"""Whether the database is there, new enough, at head, granted as it should be, and on time."""

from collections.abc import Iterator
from typing import get_args

from sqlalchemy import Connection

from mirpipe.db import health
from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import PipelineRole, engine
from mirpipe.db.migrate import current, head
from mirpipe.operations.doctor.finding import Finding, ok, problem, some, warning
from mirpipe.settings import settings

LATE_SECONDS, WRONG_SECONDS = 2.0, 60.0
"""Of the database's clock: a warning, and a problem."""
IDLE_SECONDS = 3600.0
"""After which a session that holds something and does nothing is told of."""


def is_up() -> bool:
    """Whether there is a server to ask; the embedded one is not started for it."""
    return settings().database_url is not None or embedded_server(settings().home).pid is not None


def check() -> Iterator[Finding]:
    """Everything about the database; nothing of it where the embedded server is down."""
    if not is_up():
        said = "the embedded Postgres is not running: what is in it was not checked"
        yield warning("database", said, "`mirpipe db up`, then `mirpipe doctor` again")
        return
    for role in get_args(PipelineRole):
        with engine(role).connect():
            pass
    with engine("reader").connect() as reader:
        yield from versions(reader)
        yield from roles(reader)
        yield from clock(reader)
    yield from migrations()
    with engine("app").connect() as app:
        yield from sessions(app)


def versions(connection: Connection) -> Iterator[Finding]:
    """Of Postgres and pgvector."""
    found = health.server(connection)
    if old := health.is_too_old(found):
        remedy = "install newer ones; `mirpipe db migrate` then updates the extension"
        yield problem("database", "; ".join(old), remedy)
        return
    postgres, pgvector = (".".join(map(str, one)) for one in (found.postgres, found.pgvector or ()))
    yield ok("database", f"Postgres {postgres}, pgvector {pgvector}")


def migrations() -> Iterator[Finding]:
    """Whether the schema is at head."""
    there, wanted = current(), head()
    if there == wanted:
        yield ok("migrations", f"at {there}, the newest")
    else:
        said = f"at {there or 'nothing'}, and this mirpipe needs {wanted}"
        remedy = "`mirpipe db migrate`; where the schema is newer, update mirpipe"
        yield problem("migrations", said, remedy)


def roles(connection: Connection) -> Iterator[Finding]:
    """Whether the roles are there, and may do what they should and no more."""
    if missing := health.lacking_roles(connection):
        yield problem("roles", f"missing: {', '.join(missing)}", "`mirpipe db migrate`")
        return
    if current() == head() and health.may_write(connection):
        remedy = "give MIRPIPE_READER_URL a login that has mirpipe_read alone"
        yield warning("roles", "whoever reads may write, too", remedy)
    if wrong := health.wrong_grants(connection):
        remedy = "grant or revoke that as the owner (migrations/versions has every grant)"
        yield problem("roles", some(wrong), remedy)
    else:
        yield ok("roles", "all three connect, and may what they should")


def clock(connection: Connection) -> Iterator[Finding]:
    """Whether the database's clock is this machine's: times in the tables come from both."""
    ahead = health.clock_ahead(connection)
    if abs(ahead) <= LATE_SECONDS:
        yield ok("clock", "the database's agrees with this machine's")
        return
    level = problem if abs(ahead) > WRONG_SECONDS else warning
    said = f"the database's is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    yield level("clock", said, "set both by NTP")


def sessions(connection: Connection, *, idle_seconds: float = IDLE_SECONDS) -> Iterator[Finding]:
    """Sessions that hold a lease or a transaction, and work no more: others wait for them."""
    found = health.idle_holders(connection, seconds=idle_seconds)
    for holder in found:
        who = holder.application or "a session"
        said = f"{who} has held a lock idly for {holder.idle_seconds:.0f} s"
        remedy = f"if its process is no longer at work: SELECT pg_terminate_backend({holder.pid})"
        yield warning("locks", said, remedy)
    if not found:
        yield ok("locks", "nobody holds one and does nothing")

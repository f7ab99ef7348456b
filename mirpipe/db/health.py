"""Reads a database's state: versions, roles, grants, clock, idle sessions and file paths."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import Connection, make_url, text

from mirpipe.db.oldest_versions import version_parts
from mirpipe.db.psql import psql_url
from mirpipe.errors import DatabaseError
from mirpipe.files.addresses import Address, parse_address
from mirpipe.records import Collection


@dataclass(frozen=True)
class Server:
    """Versions of a Postgres server and its extension pgvector."""

    postgres: tuple[int, ...]
    pgvector: tuple[int, ...] | None
    """Version of pgvector. None if the extension is not installed in this database."""


@dataclass(frozen=True)
class IdleSession:
    """A session with an open transaction, and maybe a lock, that is not running a statement."""

    pid: int
    application: str
    idle_seconds: float
    """Time since the session's last statement ended, in seconds."""


_SERVER = text("""
    SELECT current_setting('server_version_num')::integer,
        (SELECT extversion FROM pg_extension WHERE extname = 'vector')
""")
_WRONG_GRANTS = text("""
    SELECT format('%s cannot read %s', r.role, c.relname)
    FROM pg_class c CROSS JOIN (VALUES ('mirpipe_read'), ('mirpipe_app')) r (role)
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p', 'v')
      AND NOT has_table_privilege(r.role, c.oid, 'SELECT')
      AND (r.role, c.relname) NOT IN (('mirpipe_read', 'listener'), ('mirpipe_read', 'vote'))
    UNION ALL
    SELECT format('mirpipe_read can read %s', c.relname)
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relname IN ('listener', 'vote')
      AND has_table_privilege('mirpipe_read', c.oid, 'SELECT')
    UNION ALL
    SELECT format('mirpipe_app cannot write %s', c.relname)
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND c.relname <> 'schema_file'
      AND NOT has_table_privilege('mirpipe_app', c.oid, 'INSERT')
    UNION ALL
    SELECT format('mirpipe_read can write %s', c.relname)
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p')
      AND has_table_privilege('mirpipe_read', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    UNION ALL
    SELECT format('mirpipe_listener has a privilege on %s', c.relname)
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p', 'v')
      AND has_table_privilege('mirpipe_listener', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
    UNION ALL
    SELECT format('%s cannot use the schema mirpipe', r.role)
    FROM (VALUES ('mirpipe_read'), ('mirpipe_app'), ('mirpipe_listener')) r (role)
    WHERE to_regnamespace('mirpipe') IS NOT NULL
      AND NOT has_schema_privilege(r.role, 'mirpipe', 'USAGE')
    ORDER BY 1
""")
_MISSING_ROLES = text("""
    SELECT role FROM unnest(ARRAY['mirpipe_app', 'mirpipe_read', 'mirpipe_listener']) role
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
""")
_CLOCK = text("SELECT extract(epoch FROM clock_timestamp())::double precision")
_IDLE = text("""
    SELECT pid, application_name AS application,
        extract(epoch FROM clock_timestamp() - state_change)::double precision AS idle_seconds
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND state LIKE 'idle in transaction%'
      AND clock_timestamp() - state_change > make_interval(secs => :seconds)
    ORDER BY pid
""")
_FILES = text("""
    SELECT f.path FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id)
    WHERE f.collection = :collection AND f.gone_at IS NULL AND t.state = 'ok'
""")
_POOLS = "SELECT pool, slots FROM slot_pool"
_USERS = "SELECT username FROM ab_user"


def server_versions(connection: Connection) -> Server:
    """Return the versions of Postgres and pgvector."""
    number, vector = connection.execute(_SERVER).one()
    pgvector = None if vector is None else version_parts(vector)
    return Server((number // 10_000, number % 10_000), pgvector)


def missing_roles(connection: Connection) -> list[str]:
    """Return the roles that the migrations grant privileges to but that do not exist."""
    return list(connection.execute(_MISSING_ROLES).scalars())


def wrong_grants(connection: Connection) -> list[str]:
    """Return a message for each privilege that a role lacks or should not have.

    The roles must exist.
    """
    return list(connection.execute(_WRONG_GRANTS).scalars())


def clock_difference(connection: Connection) -> float:
    """Return the difference between the server's clock and this machine's clock, in seconds."""
    before = time.time()
    server_time = float(connection.execute(_CLOCK).scalar_one())
    return server_time - (before + time.time()) / 2


def idle_sessions(connection: Connection, *, seconds: float) -> list[IdleSession]:
    """Return the sessions with an open transaction that have been idle for over `seconds`."""
    rows = connection.execute(_IDLE, {"seconds": seconds}).mappings()
    return [IdleSession(**row) for row in rows]


def recorded_files(connection: Connection, collection: Collection) -> Iterator[Address]:
    """Yield the recorded addresses of the files of all usable tracks in a collection."""
    for path in connection.execute(_FILES, {"collection": collection}).scalars():
        yield parse_address(bytes(path))


def airflow_pools(url: str) -> dict[str, int]:
    """Return the number of slots of each pool in Airflow's database.

    Raises DatabaseError if the database cannot be reached or has no pools.
    """
    return dict(_query_airflow(url, _POOLS))


def airflow_users(url: str) -> list[str]:
    """Return the names of the users that Airflow's FAB auth manager stores.

    Raises DatabaseError if the database cannot be reached or the auth manager has not migrated it.
    """
    return [name for (name,) in _query_airflow(url, _USERS)]


def _query_airflow(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query to Airflow's database. Raises DatabaseError if it fails."""
    try:
        connection = psycopg2.connect(psql_url(url), connect_timeout=10)
        with closing(connection), connection.cursor() as sql:
            sql.execute(query)
            return list(sql.fetchall())
    except psycopg2.Error as error:
        cause = str(error).strip().partition("\n")[0]
        raise DatabaseError(
            f"Cannot read Airflow's database {make_url(url).database} ({cause}). Check "
            "MIRPIPE_AIRFLOW_DATABASE_URL, or run `mirpipe up`, which prepares that database"
        ) from error

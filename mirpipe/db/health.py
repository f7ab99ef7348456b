"""What a database says of itself: versions, schema, grants, clock, sessions and recorded files."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from sqlalchemy import Connection, make_url, text

from mirpipe.db.psql import psql_url
from mirpipe.db.user_server import OLDEST_PGVECTOR
from mirpipe.errors import DatabaseError
from mirpipe.records import Collection

OLDEST_POSTGRES = 15
"""Major version: before it there is no NULLS NOT DISTINCT."""


@dataclass(frozen=True)
class Server:
    """Versions of the server and of its extension; None: the extension is not in this database."""

    postgres: tuple[int, ...]
    pgvector: tuple[int, ...] | None


@dataclass(frozen=True)
class Holder:
    """A session that holds a lease or a transaction, and for how long it has done nothing."""

    pid: int
    application: str
    idle_seconds: float


_SERVER = text("""
    SELECT current_setting('server_version_num')::integer,
        (SELECT extversion FROM pg_extension WHERE extname = 'vector')
""")
_LACKING = text(r"""
    SELECT format('%s may not read %s', r.role, c.relname)
    FROM pg_class c CROSS JOIN (VALUES ('mirpipe_read'), ('mirpipe_app')) r (role)
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p', 'v')
      AND NOT has_table_privilege(r.role, c.oid, 'SELECT')
    UNION ALL
    SELECT format('mirpipe_app may not write %s', c.relname)
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
      AND NOT has_table_privilege('mirpipe_app', c.oid, 'INSERT')
    UNION ALL
    SELECT format('mirpipe_read may write %s', c.relname)
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('mirpipe') AND c.relkind IN ('r', 'p')
      AND has_table_privilege('mirpipe_read', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    UNION ALL
    SELECT format('%s may not look into the schema mirpipe', r.role)
    FROM (VALUES ('mirpipe_read'), ('mirpipe_app')) r (role)
    WHERE to_regnamespace('mirpipe') IS NOT NULL
      AND NOT has_schema_privilege(r.role, 'mirpipe', 'USAGE')
    ORDER BY 1
""")
_ROLES = text("""
    SELECT role FROM unnest(ARRAY['mirpipe_app', 'mirpipe_read']) role
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
""")
_MAY_WRITE = text("SELECT has_table_privilege('mirpipe.track', 'INSERT, UPDATE, DELETE')")
_CLOCK = text("SELECT extract(epoch FROM clock_timestamp())::double precision")
_IDLE = text("""
    SELECT DISTINCT a.pid, a.application_name AS application,
        extract(epoch FROM clock_timestamp() - a.state_change)::double precision AS idle_seconds
    FROM pg_stat_activity a
    LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory' AND l.granted
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND a.state LIKE 'idle%' AND (l.pid IS NOT NULL OR a.state <> 'idle')
      AND clock_timestamp() - a.state_change > make_interval(secs => :seconds)
    ORDER BY a.pid
""")
_FILES = text("""
    SELECT f.path FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id)
    WHERE f.collection = :collection AND f.gone_at IS NULL AND t.state = 'ok'
""")
_POOLS = "SELECT pool, slots FROM slot_pool"


def server(connection: Connection) -> Server:
    """Versions, as numbers to compare."""
    number, vector = connection.execute(_SERVER).one()
    pgvector = None if vector is None else tuple(int(part) for part in str(vector).split("."))
    return Server((number // 10_000, number % 10_000), pgvector)


def is_too_old(found: Server) -> list[str]:
    """What of it is older than mirpipe needs, in words."""
    old = []
    if found.postgres[0] < OLDEST_POSTGRES:
        old.append(f"Postgres {found.postgres[0]} is older than {OLDEST_POSTGRES}")
    if found.pgvector is None:
        old.append("the extension vector is not in the database")
    elif found.pgvector < OLDEST_PGVECTOR:
        shown, oldest = (".".join(map(str, one)) for one in (found.pgvector, OLDEST_PGVECTOR))
        old.append(f"pgvector {shown} is older than {oldest}, whose indexes can be trusted")
    return old


def lacking_roles(connection: Connection) -> list[str]:
    """Roles that the migrations grant to and that are not there."""
    return list(connection.execute(_ROLES).scalars())


def wrong_grants(connection: Connection) -> list[str]:
    """What the roles may not and should, or may and should not, in words; they must be there."""
    return list(connection.execute(_LACKING).scalars())


def may_write(connection: Connection) -> bool:
    """Whether whoever is connected may change tracks."""
    return bool(connection.execute(_MAY_WRITE).scalar_one())


def clock_ahead(connection: Connection) -> float:
    """Seconds by which the server's clock is ahead of this machine's."""
    before = time.time()
    there = float(connection.execute(_CLOCK).scalar_one())
    return there - (before + time.time()) / 2


def idle_holders(connection: Connection, *, seconds: float) -> list[Holder]:
    """Sessions that hold a lease or a transaction and have done nothing for so long."""
    return [Holder(**row) for row in connection.execute(_IDLE, {"seconds": seconds}).mappings()]


def recorded_files(connection: Connection, collection: Collection) -> Iterator[Path]:
    """Where usable tracks of the collection lie, as the tables say."""
    for path in connection.execute(_FILES, {"collection": collection}).scalars():
        yield Path(os.fsdecode(bytes(path)))


def airflow_pools(url: str) -> dict[str, int]:
    """Slots by pool in Airflow's metadata. Raises DatabaseError where it has none or no answer."""
    try:
        link = psycopg2.connect(psql_url(url), connect_timeout=10)
        with closing(link), link.cursor() as sql:
            sql.execute(_POOLS)
            return dict(sql.fetchall())
    except psycopg2.Error as error:
        where = make_url(url).database
        said = str(error).strip().partition("\n")[0]
        raise DatabaseError(f"Airflow's metadata in {where} cannot be read ({said})") from error

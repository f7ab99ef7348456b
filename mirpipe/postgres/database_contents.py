"""Counts and hashes the rows of all databases of a server, to compare two servers."""

from collections.abc import Callable
from contextlib import closing

from psycopg2 import extensions

Contents = dict[str, tuple[int | None, str]]
"""Number of rows and hash of each table, by database and name. Sequences have a value, no rows."""
Connect = Callable[[str], extensions.connection]
"""Opens a superuser's autocommit connection to the database with the given name."""

# Text of a row must not depend on the settings of a server, database or login.
_CANONICAL = {
    "search_path": "pg_catalog",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "statement_timeout": "0",
    "row_security": "off",
}
_DATABASES = """
    SELECT datname FROM pg_database WHERE datallowconn = %s AND datname <> 'template0' ORDER BY 1
"""
# Rows of materialised views are computed again, and those of an extension depend on its version.
_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1
"""
_ROWS = """
    SELECT count(*), coalesce(sum(('x' || substr(md5((t.*)::text), 1, 15))::bit(60)::bigint), 0)
    FROM ONLY {table} t
"""
_SEQUENCES = """
    SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value::text, 'unused')
    FROM pg_sequences
"""


def database_contents(connect: Connect) -> Contents:
    """Return the contents of all databases that accept connections.

    The hash of a table does not depend on the order of its rows.
    """
    contents: Contents = {}
    for database in open_databases(connect):
        with closing(connect(database)) as connection, connection.cursor() as sql:
            for name, value in _CANONICAL.items():
                sql.execute(f"SET {name} = '{value}'")
            sql.execute(_TABLES)
            for (table,) in sql.fetchall():
                sql.execute(_ROWS.format(table=table))
                rows, digest = sql.fetchone() or (0, "")
                contents[f"{database}: {table}"] = (rows, str(digest))
            sql.execute(_SEQUENCES)
            for sequence, value in sql.fetchall():
                contents[f"{database}: sequence {sequence}"] = (None, value)
    return contents


def open_databases(connect: Connect) -> list[str]:
    """Return the names of all databases that accept connections."""
    return _databases(connect, accept_connections=True)


def closed_databases(connect: Connect) -> list[str]:
    """Return the names of the databases, except template0, that accept no connections."""
    return _databases(connect, accept_connections=False)


def _databases(connect: Connect, *, accept_connections: bool) -> list[str]:
    with closing(connect("postgres")) as connection, connection.cursor() as sql:
        sql.execute(_DATABASES, (accept_connections,))
        return [name for (name,) in sql.fetchall()]


def differences(before: Contents, after: Contents) -> list[str]:
    """Return the names of the tables and sequences that differ or exist on one side only."""
    return sorted(name for name in before.keys() | after if before.get(name) != after.get(name))

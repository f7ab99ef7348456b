"""Reads how many rows each table has, and how much disk space it needs."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

# The partitions of a table are added up.
_BYTES = text("""
    SELECT coalesce(p.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid)) AS bytes
    FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND c.relnamespace = 'mirpipe'::regnamespace
    GROUP BY 1 ORDER BY 2 DESC, 1
""")


@dataclass(frozen=True)
class TableSize:
    """The size of a table."""

    rows: int
    bytes: int
    """Disk space of the table with its indexes. It includes free space that Postgres reuses."""


def table_sizes(connection: Connection) -> dict[str, TableSize]:
    """Return the size of each table by name, largest first."""
    sizes = {}
    for name, size in connection.execute(_BYTES).all():
        rows = connection.execute(text(f'SELECT count(*) FROM mirpipe."{name}"')).scalar_one()
        sizes[name] = TableSize(int(rows), int(size))
    return sizes

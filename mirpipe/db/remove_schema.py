"""Removes the schema mirpipe and mirpipe's objects in it, without DROP … CASCADE."""

from pathlib import Path

from sqlalchemy import Connection, text

from mirpipe.db.dependent_objects import Objects, own_dependents
from mirpipe.db.schema_file_record import own_view_names
from mirpipe.db.schema_files import MIGRATIONS, created, migration_sql

_REMEDY = "Drop these objects and run the command again."
_SCHEMA = text("SELECT oid FROM pg_namespace WHERE nspname = 'mirpipe'")
_OWN = text(r"""
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, oid,
        format('mirpipe.%I', relname) AS name
    FROM pg_class
    WHERE relnamespace = to_regnamespace('mirpipe') AND relkind IN ('r', 'p', 'v')
        AND (relname = ANY(:names)
            OR relname ~ '^v_embedding_\d+$' AND relkind = 'v'
            OR relname ~ '^embedding_\d+$' AND relispartition
            OR relname ~ '^lock_[0-9a-f]{16}$' AND relkind = 'r')
    UNION ALL
    SELECT 'FUNCTION', oid, oid::regprocedure::text
    FROM pg_proc WHERE pronamespace = to_regnamespace('mirpipe') AND proname = ANY(:names)
    ORDER BY name
""")


def drop_statements(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Return the SQL statements that drop mirpipe's views, tables and functions, and the schema.

    Returns an empty list if there is no schema. Raises DatabaseError if a user's objects are in the
    schema or depend on objects in it.
    """
    schema = connection.execute(_SCHEMA).scalar_one_or_none()
    if schema is None:
        return []
    sql = migration_sql(folder)
    names = created("TABLE", sql) | created("FUNCTION", sql) | own_view_names(connection, folder)
    connection.execute(text("SET LOCAL search_path = pg_catalog"))
    rows = connection.execute(_OWN, {"names": list(names)}).all()
    own = Objects(
        frozenset(row.oid for row in rows if row.kind != "FUNCTION"),
        frozenset(row.oid for row in rows if row.kind == "FUNCTION"),
    )
    own_dependents(
        connection,
        own,
        own,
        schemas=[schema],
        problem="The schema mirpipe cannot be removed, because other objects depend on it.",
        remedy=_REMEDY,
    )
    drops = []
    for kind in ("VIEW", "TABLE", "FUNCTION"):
        if found := [row.name for row in rows if row.kind == kind]:
            drops.append(f"DROP {kind} {', '.join(found)}")
    return [*drops, "DROP SCHEMA mirpipe"]

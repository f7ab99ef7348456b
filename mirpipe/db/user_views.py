"""Drops users' views that use mirpipe's views, and creates them again on the new ones.

A view gets the same definition, owner, options, comments and privileges as before. All this runs in
the transaction of the migration, so if a view cannot be created again, nothing changes.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from mirpipe.db.dependent_objects import Objects
from mirpipe.db.view_privileges import Privilege, read_privileges, restore_privileges
from mirpipe.errors import DatabaseError

_VIEWS = text("""
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name,
        rtrim(pg_get_viewdef(c.oid), '; ') AS query, quote_ident(o.rolname) AS owner,
        coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '') AS options,
        ARRAY(SELECT DISTINCT d.refobjid FROM pg_rewrite r
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass
            WHERE r.ev_class = c.oid AND d.refobjid <> c.oid) AS uses,
        ARRAY(SELECT format('COMMENT ON %s IS %L', CASE d.objsubid
                    WHEN 0 THEN format('VIEW %I.%I', n.nspname, c.relname)
                    ELSE format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname) END,
                d.description)
            FROM pg_description d
            LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
            WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass) AS comments
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_roles o ON o.oid = c.relowner
    WHERE c.oid = ANY(:oids) ORDER BY c.oid
""")
_REMEDY = (
    "Nothing was changed. Drop this view, run `mirpipe db migrate` again, and then create it again "
    "for the new views."
)


@dataclass(frozen=True)
class UserView:
    """A view of a user that has been dropped."""

    name: str
    """Name with its schema, quoted."""
    create: str
    owner: str
    comments: list[str]
    privileges: list[Privilege]


def drop_user_views(connection: Connection, oids: Collection[int]) -> list[UserView]:
    """Drop these views. Return them in an order in which they can be created again.

    Nothing else may depend on them. Raises DatabaseError if the owner may not drop one of them.
    """
    if not oids:
        return []
    with _every_name_qualified(connection):
        rows = {row.oid: row for row in connection.execute(_VIEWS, {"oids": list(oids)})}
        order = TopologicalSorter({oid: set(row.uses) & rows.keys() for oid, row in rows.items()})
        views = [
            UserView(
                rows[oid].name,
                f"CREATE VIEW {rows[oid].name}{rows[oid].options} AS\n{rows[oid].query}",
                rows[oid].owner,
                rows[oid].comments,
                read_privileges(connection, Objects(relations=frozenset([oid]))),
            )
            for oid in order.static_order()
        ]
    for view in reversed(views):
        with _explained(view, "dropped"):
            _run(connection, f"DROP VIEW {view.name}")
    return views


def create_user_views(connection: Connection, views: Collection[UserView]) -> None:
    """Create the views again. Raises DatabaseError, with its SQL, if one no longer fits."""
    for view in views:
        with _explained(view, "created again"):
            _run(connection, view.create)
            _run(connection, f"ALTER VIEW {view.name} OWNER TO {view.owner}")
            for comment in view.comments:
                _run(connection, comment)
            oid = connection.execute(text("SELECT to_regclass(:name)::oid"), {"name": view.name})
            created = Objects(relations=frozenset([oid.scalar_one()]))
            restore_privileges(connection, created, view.privileges)


@contextmanager
def _every_name_qualified(connection: Connection) -> Iterator[None]:
    """Let Postgres write the schema of every table and view into definitions."""
    path = connection.execute(text("SHOW search_path")).scalar_one()
    _run(connection, "SET LOCAL search_path = pg_catalog")
    yield
    _run(connection, f"SET LOCAL search_path = {path}")


@contextmanager
def _explained(view: UserView, action: str) -> Iterator[None]:
    """Raise DatabaseError with the cause, a remedy and the SQL of the view if Postgres refuses."""
    try:
        yield
    except (
        DBAPIError,
        DatabaseError,
    ) as error:  # The engine explains some errors for the pipeline.
        cause = str(error.__cause__).partition("\n")[0]
        raise DatabaseError(
            f"Your view {view.name} uses views of mirpipe that change, and it cannot be {action} "
            f"({cause}). {_REMEDY} Its SQL is now:\n{view.create};"
        ) from error


def _run(connection: Connection, sql: str) -> None:
    """Run SQL unchanged: colons and percent signs have no special meaning."""
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})

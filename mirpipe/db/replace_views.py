"""Replaces the views, and the SQL functions for readers, with those in migrations/views/.

Everything runs in the caller's transaction. Readers therefore see either the old views or the new
ones, and a process that is killed changes nothing. The encoder views, v_embedding_N, are created by
the function register_encoder and are not replaced.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from mirpipe.db.dependent_objects import Objects, own_dependents, users_views
from mirpipe.db.schema_file_record import own_view_names
from mirpipe.db.schema_files import MIGRATIONS, view_files
from mirpipe.db.user_views import UserView, create_user_views, drop_user_views
from mirpipe.db.view_privileges import Privilege, read_privileges, restore_privileges
from mirpipe.errors import DatabaseError

_TRIAL_SCHEMA = "mirpipe_trial_of_views"
_REMEDY = (
    "Drop these objects, run `mirpipe db migrate` again, and then create them again for the new "
    "views."
)
_VIEWS = text("""
    SELECT c.relname AS name, c.oid, true AS is_view,
        array_agg(format('%s %s %s', a.attname, format_type(a.atttypid, a.atttypmod),
            a.attcollation::regcollation) ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind = 'v' AND c.relname = ANY(:names)
    GROUP BY c.oid
    UNION ALL
    SELECT proname, oid, false, ARRAY[pg_get_function_arguments(oid), pg_get_function_result(oid)]
    FROM pg_proc WHERE pronamespace = to_regnamespace(:schema) AND proname = ANY(:names)
""")
# The views v_embedding_N are left to the migrations.
_VIEWS_ON_TABLES = text(r"""
    SELECT DISTINCT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid IN (
            SELECT oid FROM pg_class
            WHERE relnamespace = to_regnamespace('mirpipe') AND relname = ANY(:tables))
        AND v.relkind = 'v' AND NOT (
            v.relnamespace = to_regnamespace('mirpipe') AND v.relname ~ '^v_embedding_\d+$')
""")


@dataclass(frozen=True)
class View:
    """A view, or a function for readers, in the database."""

    name: str
    oid: int
    is_view: bool
    columns: Sequence[str]
    """Name, type and collation of each column. For a function, its arguments and result."""

    def can_become(self, new: "View | None") -> bool:
        """Return whether CREATE OR REPLACE accepts the new view, which can only add columns."""
        if new is None or new.is_view != self.is_view:
            return False
        return list(new.columns[: len(self.columns)]) == list(self.columns)


@dataclass(frozen=True)
class Dropped:
    """What has been dropped and must be created again."""

    privileges: Sequence[Privilege]
    """Privileges on mirpipe's views."""
    user_views: Sequence[UserView]


_NOTHING = Dropped((), ())


def replace_views(
    connection: Connection, folder: Path = MIGRATIONS, *, dropped: Dropped = _NOTHING
) -> None:
    """Create the views in the folder, replace existing ones, and drop views without a file.

    A view is dropped and created again only if CREATE OR REPLACE cannot change it. It then receives
    the same privileges as before, and views of users that use it are created again, too. `dropped`
    is what `drop_views_on` has dropped. Raises DatabaseError if other objects of users depend on a
    view that must be dropped, if a user's view cannot be created again, or if a user has created a
    view with the name of a new one.
    """
    files = view_files(folder)
    new = _create_in_trial_schema(connection, files)
    own = own_views(connection, folder)
    _require_free_names(connection, files.keys() - {view.name for view in own})
    changed = [view for view in own if not view.can_become(new.get(view.name))]
    replaced = _drop_with_user_views(connection, changed, own)
    privileges = [*dropped.privileges, *replaced.privileges]
    for sql in files.values():
        _run(connection, sql)
    existing = {view.name for view in own} | {privilege.name for privilege in privileges}
    created = own_views(connection, folder)
    for view in created:
        if view.name not in existing:
            kind, privilege = ("TABLE", "SELECT") if view.is_view else ("FUNCTION", "EXECUTE")
            _run(
                connection,
                f"GRANT {privilege} ON {kind} mirpipe.{view.name} TO mirpipe_app, mirpipe_read",
            )
    restore_privileges(connection, _objects(created), privileges)
    create_user_views(connection, [*dropped.user_views, *replaced.user_views])


def drop_views_on(
    connection: Connection, tables: Collection[str], folder: Path = MIGRATIONS
) -> Dropped:
    """Drop all views that use these tables, so that a migration can change the tables.

    Returns what `replace_views` needs to create them again. Raises DatabaseError if objects of
    users that are not views depend on mirpipe's views.
    """
    own = own_views(connection, folder)
    on_tables = set(connection.execute(_VIEWS_ON_TABLES, {"tables": list(tables)}).scalars())
    changed = [view for view in own if view.oid in on_tables]
    return _drop_with_user_views(connection, changed, own, on_tables)


def drop_views(connection: Connection, folder: Path = MIGRATIONS) -> None:
    """Drop all of mirpipe's views. Raises DatabaseError if a user's objects depend on them."""
    own = own_views(connection, folder)
    _drop(connection, own, own)


def own_views(connection: Connection, folder: Path = MIGRATIONS) -> list[View]:
    """Return mirpipe's views, and its functions for readers, that exist in the database."""
    return _views(connection, "mirpipe", own_view_names(connection, folder))


def _require_free_names(connection: Connection, names: Collection[str]) -> None:
    """Raise DatabaseError if views or functions with these names exist."""
    if taken := [f"mirpipe.{view.name}" for view in _views(connection, "mirpipe", names)]:
        raise DatabaseError(
            f"Views with the names of new views already exist: {', '.join(taken)}. Nothing was "
            "changed. Rename them, and run `mirpipe db migrate` again."
        )


def _create_in_trial_schema(connection: Connection, files: dict[str, str]) -> dict[str, View]:
    """Create all views in another schema, roll back, and return the columns that they had."""
    trial = connection.begin_nested()
    _run(connection, f"CREATE SCHEMA {_TRIAL_SCHEMA}")
    _run(connection, f"SET LOCAL search_path = {_TRIAL_SCHEMA}, mirpipe, public")
    for sql in files.values():
        _run(connection, sql)
    views = _views(connection, _TRIAL_SCHEMA, files)
    trial.rollback()
    _run(connection, "SET LOCAL search_path = mirpipe, public")
    return {view.name: view for view in views}


def _drop_with_user_views(
    connection: Connection,
    changed: Sequence[View],
    own: Sequence[View],
    others: Collection[int] = (),
) -> Dropped:
    """Drop these views, the other views with these oids, and all views that use any of them."""
    start = _objects(changed)
    start = Objects(start.relations | frozenset(others), start.functions)
    user_views = drop_user_views(connection, users_views(connection, start, _objects(own)))
    return Dropped(_drop(connection, changed, own), user_views)


def _drop(connection: Connection, changed: Sequence[View], own: Sequence[View]) -> list[Privilege]:
    """Drop these views and all views that use them. Return the privileges on the dropped views."""
    if not changed:
        return []
    objects = own_dependents(
        connection,
        _objects(changed),
        _objects(own),
        with_rules=True,
        problem="mirpipe's views cannot be replaced, because other objects depend on them.",
        remedy=_REMEDY,
    )
    dropped = [view for view in own if view.oid in objects.relations | objects.functions]
    privileges = read_privileges(connection, objects)
    for kind, is_view in (("VIEW", True), ("FUNCTION", False)):
        if names := [f"mirpipe.{view.name}" for view in dropped if view.is_view is is_view]:
            _run(connection, f"DROP {kind} {', '.join(names)}")
    return privileges


def _views(connection: Connection, schema: str, names: Iterable[str]) -> list[View]:
    rows = connection.execute(_VIEWS, {"schema": schema, "names": list(names)})
    return [View(row.name, row.oid, row.is_view, row.columns) for row in rows]


def _objects(views: Iterable[View]) -> Objects:
    views = list(views)
    return Objects(
        frozenset(view.oid for view in views if view.is_view),
        frozenset(view.oid for view in views if not view.is_view),
    )


def _run(connection: Connection, sql: str) -> None:
    """Run SQL unchanged: colons and percent signs have no special meaning."""
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})

"""Reads the privileges on views before the views are dropped, and grants them on the new views."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.dependent_objects import Objects

_PRIVILEGES = text("""
    SELECT o.name, o.attname,
        concat(a.privilege_type, ' (' || quote_ident(o.attname) || ')', ' ON ', o.target)
            AS privilege,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee,
        o.target, a.is_grantable
    FROM (
        SELECT relname AS name, NULL AS attname, format('%I.%I', nspname, relname) AS target,
            coalesce(relacl, acldefault('r', relowner)) AS privileges
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = ANY(:relations)
        UNION ALL
        SELECT relname, attname, format('%I.%I', nspname, relname), attacl
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = ANY(:relations)
        UNION ALL
        SELECT proname, NULL, format('FUNCTION mirpipe.%I', proname),
            coalesce(proacl, acldefault('f', proowner))
        FROM pg_proc WHERE oid = ANY(:functions)) o
    CROSS JOIN LATERAL aclexplode(o.privileges) a
    ORDER BY o.name, privilege, grantee
""")
_COLUMNS = text("""
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.oid = ANY(:relations) AND a.attnum > 0
""")


@dataclass(frozen=True)
class Privilege:
    """One privilege of one role on a view, a view column, or a function."""

    name: str
    """Name of the view or function."""
    column: str | None
    privilege: str
    """Privilege and object, as written in GRANT and REVOKE."""
    target: str
    """Object, as written in GRANT and REVOKE."""
    grantee: str
    is_grantable: bool


def read_privileges(connection: Connection, objects: Objects) -> list[Privilege]:
    """Return all privileges on these views and functions."""
    rows = connection.execute(_PRIVILEGES, _oids(objects))
    return [
        Privilege(r.name, r.attname, r.privilege, r.target, r.grantee, r.is_grantable) for r in rows
    ]


def restore_privileges(
    connection: Connection, objects: Objects, before: Iterable[Privilege]
) -> None:
    """Give these views and functions the privileges in `before`, and no others.

    Objects that are not in `before` keep their privileges. Privileges on columns that no longer
    exist are left out.
    """
    before = list(before)
    names = {privilege.name for privilege in before}
    now = read_privileges(connection, objects)
    for target, grantee in sorted({(p.target, p.grantee) for p in now if p.name in names}):
        _run(connection, f"REVOKE ALL ON {target} FROM {grantee}")
    columns = {tuple(row) for row in connection.execute(_COLUMNS, _oids(objects))}
    existing = {privilege.name for privilege in now}
    for privilege in before:
        if privilege.name not in existing:
            continue
        if privilege.column is None or (privilege.name, privilege.column) in columns:
            option = " WITH GRANT OPTION" if privilege.is_grantable else ""
            _run(connection, f"GRANT {privilege.privilege} TO {privilege.grantee}{option}")


def _run(connection: Connection, statement: str) -> None:
    """Run a statement unchanged. Without parameters, a % in a name needs no escape."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _oids(objects: Objects) -> dict[str, list[int]]:
    return {"relations": list(objects.relations), "functions": list(objects.functions)}

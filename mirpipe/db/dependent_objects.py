"""Finds the objects that depend on mirpipe's tables, views and functions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from mirpipe.errors import DatabaseError

_RELATIONS_AND_FUNCTIONS = """
    SELECT 'pg_class'::regclass::oid AS classid, unnest(CAST(:{0}_relations AS oid[])) AS objid
    UNION ALL SELECT 'pg_proc'::regclass::oid, unnest(CAST(:{0}_functions AS oid[]))
"""
# Postgres records the dependencies of a view on its rule _RETURN, not on the view itself. Indexes,
# sequences and row types of a relation are left out, because they are dropped with it. Its
# constraints, defaults, triggers and policies are also left out, unless the relation itself stays.
_DEPENDENTS = text(f"""
    WITH RECURSIVE own AS ({_RELATIONS_AND_FUNCTIONS.format("own")}),
    start AS (
        {_RELATIONS_AND_FUNCTIONS.format("start")}
        UNION ALL SELECT 'pg_namespace'::regclass::oid, unnest(CAST(:start_schemas AS oid[]))
    ), dependent (classid, objid, own_class, own_id) AS (
        SELECT classid, objid, classid, objid FROM start
        UNION
        SELECT n.classid, n.objid, coalesce(o.classid, d.own_class), coalesce(o.objid, d.own_id)
        FROM dependent d
        JOIN pg_depend p ON p.refclassid = d.classid AND p.refobjid = d.objid
        LEFT JOIN pg_rewrite r
            ON p.classid = 'pg_rewrite'::regclass AND r.oid = p.objid AND r.rulename = '_RETURN'
        CROSS JOIN LATERAL (
            SELECT CASE WHEN r.oid IS NULL THEN p.classid ELSE 'pg_class'::regclass END AS classid,
                coalesce(r.ev_class, p.objid) AS objid) n
        LEFT JOIN own o ON o.classid = n.classid AND o.objid = n.objid
    )
    SELECT DISTINCT d.classid = 'pg_class'::regclass AS is_relation, d.objid AS oid,
        coalesce(c.relkind = 'v', false)
            AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE f.adrelid = c.oid) AS is_plain_view,
        o.objid IS NOT NULL AS is_own, i.type || ' ' || i.identity AS object,
        w.type || ' ' || w.identity AS needs
    FROM dependent d
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
    CROSS JOIN LATERAL pg_identify_object(d.own_class, d.own_id, 0) w
    LEFT JOIN own o ON o.classid = d.classid AND o.objid = d.objid
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    LEFT JOIN pg_type y ON d.classid = 'pg_type'::regclass AND y.oid = d.objid
    LEFT JOIN pg_class row_of ON row_of.oid = y.typrelid
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_trigger t
        ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid AND NOT t.tgisinternal
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
    LEFT JOIN pg_policy l ON d.classid = 'pg_policy'::regclass AND l.oid = d.objid
    CROSS JOIN LATERAL (
        SELECT coalesce(r.ev_class, t.tgrelid, k.conrelid, a.adrelid, l.polrelid) AS relation
    ) part_of
    WHERE o.objid IS NOT NULL OR CASE
        WHEN d.classid = 'pg_class'::regclass THEN c.relkind IN ('r', 'p', 'f', 'v', 'm')
        WHEN d.classid = 'pg_type'::regclass
            THEN y.typtype IN ('d', 'e', 'r') OR row_of.relkind = 'c'
        WHEN part_of.relation IS NOT NULL THEN NOT EXISTS (
                SELECT FROM dependent w
                WHERE w.classid = 'pg_class'::regclass AND w.objid = part_of.relation)
            OR :with_rules AND (r.oid IS NOT NULL OR t.oid IS NOT NULL)
        ELSE d.classid NOT IN ('pg_namespace'::regclass, 'pg_default_acl'::regclass,
            'pg_trigger'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass)
        END
    ORDER BY object, needs
""")


@dataclass(frozen=True)
class Objects:
    """Object identifiers (oid) of relations (tables and views) and of functions."""

    relations: frozenset[int] = frozenset()
    functions: frozenset[int] = frozenset()


def own_dependents(
    connection: Connection,
    start: Objects,
    own: Objects,
    *,
    schemas: Collection[int] = (),
    with_rules: bool = False,
    problem: str,
    remedy: str,
) -> Objects:
    """Return the objects in `own` that depend on `start`, directly or through other objects.

    `start` is part of `own` and of the result. The search also starts from the schemas in
    `schemas`. If `with_rules` is true, rules and triggers that a user added to mirpipe's views
    count as objects of the user. Raises DatabaseError if an object that is not in `own` depends on
    `start`. The message begins with `problem`, names each such object and the mirpipe object that
    it needs, and ends with `remedy`.
    """
    rows = _dependents(connection, start, own, schemas, with_rules=with_rules)
    if foreign := [f"  {row.object} needs {row.needs}" for row in rows if not row.is_own]:
        raise DatabaseError("\n".join([f"{problem} Nothing was changed.", *foreign, remedy]))
    return Objects(
        frozenset(row.oid for row in rows if row.is_relation),
        frozenset(row.oid for row in rows if not row.is_relation),
    )


def users_views(connection: Connection, start: Objects, own: Objects) -> frozenset[int]:
    """Return the views of users that depend on `start`, directly or through other objects.

    Returns none if anything else of a user's depends on `start`, or if a view has something that
    its definition does not contain: rules, triggers, or default values.
    """
    rows = _dependents(connection, start, own, (), with_rules=True)
    foreign = [row for row in rows if not row.is_own]
    if not all(row.is_plain_view for row in foreign):
        return frozenset()
    return frozenset(row.oid for row in foreign)


def _dependents(
    connection: Connection,
    start: Objects,
    own: Objects,
    schemas: Collection[int],
    *,
    with_rules: bool,
) -> Sequence[Row[Any]]:
    parameters = {
        "own_relations": list(own.relations),
        "own_functions": list(own.functions),
        "start_relations": list(start.relations),
        "start_functions": list(start.functions),
        "start_schemas": list(schemas),
        "with_rules": with_rules,
    }
    return connection.execute(_DEPENDENTS, parameters).all()

"""Reads the catalogue entries of the schema mirpipe, so that two databases can be compared."""

from sqlalchemy import text

from tests.support.databases import Database

# The tables of locks are left out, because each is created when its lock is first used.
_IN_SCHEMA = "relnamespace = 'mirpipe'::regnamespace AND relname !~ '^lock_[0-9a-f]{16}$'"
_SORTED_GRANTS = "(SELECT array_agg(g::text ORDER BY g::text) FROM unnest({0}) g)"

QUERIES = {
    "schema": f"""
        SELECT nspname, obj_description(oid, 'pg_namespace'), {_SORTED_GRANTS.format("nspacl")}
        FROM pg_namespace WHERE nspname = 'mirpipe'
    """,
    "default privileges": f"""
        SELECT defaclobjtype, defaclrole::regrole::text, {_SORTED_GRANTS.format("defaclacl")}
        FROM pg_default_acl WHERE defaclnamespace = 'mirpipe'::regnamespace
    """,
    "relation": f"""
        SELECT relname, relkind, relowner::regrole::text, relispartition, reloptions,
            {_SORTED_GRANTS.format("relacl")}, obj_description(oid, 'pg_class')
        FROM pg_class WHERE {_IN_SCHEMA} AND relkind <> 'i'
    """,
    "column": f"""
        SELECT c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
            format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
            a.attstorage, pg_get_expr(d.adbin, d.adrelid), {_SORTED_GRANTS.format("a.attacl")},
            col_description(c.oid, a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {_IN_SCHEMA} AND c.relkind IN ('r', 'p', 'v') AND NOT a.attisdropped
    """,
    "constraint": """
        SELECT conrelid::regclass::text, conname, contype, condeferrable, condeferred,
            convalidated, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'mirpipe'::regnamespace
    """,
    "index": f"SELECT pg_get_indexdef(oid) FROM pg_class WHERE {_IN_SCHEMA} AND relkind = 'i'",
    "trigger": f"""
        SELECT pg_get_triggerdef(t.oid), t.tgenabled
        FROM pg_trigger t JOIN pg_class ON pg_class.oid = t.tgrelid
        WHERE {_IN_SCHEMA} AND NOT t.tgisinternal
    """,
    "function": f"""
        SELECT oid::regprocedure::text, pg_get_functiondef(oid), proowner::regrole::text,
            {_SORTED_GRANTS.format("proacl")}, obj_description(oid, 'pg_proc')
        FROM pg_proc WHERE pronamespace = 'mirpipe'::regnamespace
    """,
    "view": f"""
        SELECT relname, pg_get_viewdef(oid) FROM pg_class WHERE {_IN_SCHEMA} AND relkind = 'v'
    """,
    "rule": f"""
        SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class ON pg_class.oid = r.ev_class
        WHERE {_IN_SCHEMA} AND r.rulename <> '_RETURN'
    """,
}
"""One query per object kind. Each row describes one object completely."""


def catalogue(database: Database) -> list[str]:
    """Return one line, with the full definition, for each object in the schema mirpipe."""
    with database.owner.begin() as owner:
        owner.execute(text("SET LOCAL search_path = pg_catalog"))
        return sorted(
            f"{kind}: {tuple(row)!r}"
            for kind, query in QUERIES.items()
            for row in owner.execute(text(query))
        )

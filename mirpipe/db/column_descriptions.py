"""Writes the descriptions of the schema, its tables, views and columns as SQL comments.

A description comes from COMMENT ON in a migration or a view file, or from the file with shared
descriptions. The partitions of embedding and their views are described by the trigger
encoder_described.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from mirpipe.db.schema_files import (
    MIGRATIONS,
    SHARED_DESCRIPTIONS,
    created,
    descriptions,
    migration_sql,
    view_files,
)

_HISTORY = "_history"
_EXISTING = text("""
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.relname,
        NULL AS attname, obj_description(c.oid, 'pg_class') AS description
    FROM pg_class c
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND c.relname = ANY(:names)
    UNION ALL
    SELECT 'COLUMN', c.relname, a.attname, col_description(c.oid, a.attnum)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND c.relname = ANY(:names)
    UNION ALL
    SELECT 'SCHEMA', 'mirpipe', NULL, obj_description('mirpipe'::regnamespace, 'pg_namespace')
""")
_STATEMENTS = text("""
    SELECT string_agg(format('COMMENT ON %s %s%I%s IS %L', c.kind,
        CASE c.kind WHEN 'SCHEMA' THEN '' ELSE 'mirpipe.' END, c.relation,
        '.' || quote_ident(c.attribute), c.description), '; ')
    FROM unnest(CAST(:kinds AS text[]), CAST(:relations AS text[]), CAST(:attributes AS text[]),
        CAST(:descriptions AS text[])) c (kind, relation, attribute, description)
""")
_DESCRIBE_PARTITIONS = text("UPDATE mirpipe.encoder SET name = name")


@dataclass(frozen=True)
class Descriptions:
    """All descriptions in the files of migrations/, and the columns that exist."""

    own: Mapping[str, str]
    """Descriptions by name of the table or view, or by "table.column"."""
    shared: Mapping[str, Mapping[str, Any]]
    """Sections of the file with shared descriptions: `relations`, and one text per column."""
    columns: Collection[tuple[str, str]]
    """Every existing column, as a pair of table or view name and column name."""

    def column(self, relation: str, column: str) -> str | None:
        """Return the description of a column, or None if there is none.

        The column's own description is used if there is one. Otherwise these are tried in order:
        for a view v_X_history, the description of the same column in v_X; the first section that
        lists the table or view and contains the column; the section `everywhere`.
        """
        if own := self.own.get(f"{relation}.{column}"):
            return own
        current = relation.removesuffix(_HISTORY)
        if current != relation and (current, column) in self.columns:
            return self.column(current, column)
        for section in self.shared.values():
            if relation in section.get("relations", ()) and column in section:
                return str(section[column])
        return self.shared["everywhere"].get(column)


def write_descriptions(connection: Connection, folder: Path = MIGRATIONS) -> None:
    """Write every description that differs from the existing one, and delete outdated ones."""
    views, migrations = view_files(folder), migration_sql(folder)
    names = [*created("TABLE", migrations), *views]
    existing = connection.execute(_EXISTING, {"names": names}).all()
    files = Descriptions(
        descriptions([*migrations, *views.values()]),
        tomllib.loads((folder / SHARED_DESCRIPTIONS).read_text()),
        {(row.relname, row.attname) for row in existing if row.attname},
    )
    changed = []
    for row in existing:
        of_relation = files.own.get(row.relname)
        new = files.column(row.relname, row.attname) if row.attname else of_relation
        if new != row.description:
            changed.append((row.kind, row.relname, row.attname, new))
    if changed:
        kinds, relations, attributes, texts = (list(part) for part in zip(*changed, strict=True))
        parameters = {"kinds": kinds, "relations": relations}
        parameters |= {"attributes": attributes, "descriptions": texts}
        statements = connection.execute(_STATEMENTS, parameters).scalar_one()
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
    connection.execute(_DESCRIBE_PARTITIONS)

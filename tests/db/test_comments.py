"""Every table, view and column has a description that is written in exactly one place."""

import re
import tomllib
from collections import Counter

from mirpipe.db.schema_files import MIGRATIONS, SHARED_DESCRIPTIONS, descriptions, migration_sql
from tests.migrations.queries import rows
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

_UNDESCRIBED = """
    SELECT c.relname || '.' || a.attname AS name
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND coalesce(col_description(c.oid, a.attnum), '') = ''
    UNION
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''
    ORDER BY 1
"""
_LONG = """
    SELECT objoid::regclass::text FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace = 'mirpipe'::regnamespace
      AND (length(description) > 300 OR description ~ '[\n\r]')
"""
_COLUMNS = """
    SELECT c.relname, a.attname, col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
"""


def sql() -> list[str]:
    views = [path.read_text() for path in sorted((MIGRATIONS / "views").glob("*.sql"))]
    return [*migration_sql(), *views]


def test_every_relation_and_column_is_described(fresh_database: Database) -> None:
    SyntheticLibrary(fresh_database.app)  # This creates a partition and a view for the encoder.
    assert rows(fresh_database, _UNDESCRIBED) == []


def test_a_description_is_one_short_line(fresh_database: Database) -> None:
    assert rows(fresh_database, _LONG) == []


def test_the_partition_of_an_encoder_is_described_with_its_revision(
    fresh_database: Database,
) -> None:
    library = SyntheticLibrary(fresh_database.app, name="somebody")
    query = "SELECT obj_description(CAST(:relation AS regclass), 'pg_class')"
    for prefix in ("embedding_", "v_embedding_"):
        relation = f"mirpipe.{prefix}{library.encoder_id}"
        assert "somebody, revision r1" in library.rows(query, relation=relation)[0][0]


def test_a_history_view_takes_the_descriptions_of_the_view_of_the_latest_run(
    fresh_database: Database,
) -> None:
    described = {(view, column): text for view, column, text in rows(fresh_database, _COLUMNS)}
    compared = 0
    for (view, column), description in described.items():
        latest = (view.removesuffix("_history"), column)
        if view.endswith("_history") and latest in described:
            assert description == described[latest]
            compared += 1
    assert compared > 80


def test_every_statement_of_a_description_is_found(fresh_database: Database) -> None:
    names = Counter(
        name for text in sql() for name in re.findall(r"^COMMENT ON \w+ ([\w.]+)", text, re.M)
    )
    assert [name for name, n in names.items() if n > 1] == []
    assert names.keys() == descriptions(sql()).keys()
    existing = {f"{view}.{column}" for view, column, _ in rows(fresh_database, _COLUMNS)}
    renamed = {"run_comparison.p_holm"}  # by revision 0020
    assert {name for name in names if "." in name} <= existing | renamed


def test_shared_descriptions_are_all_used(fresh_database: Database) -> None:
    sections = tomllib.loads((MIGRATIONS / SHARED_DESCRIPTIONS).read_text())
    columns = rows(fresh_database, _COLUMNS)
    used = {description for _, _, description in columns}
    relations = {relation for relation, _, _ in columns}
    for name, section in sections.items():
        assert set(section.get("relations", ())) <= relations, name
        unused = [key for key in section.keys() - {"relations"} if section[key] not in used]
        assert unused == [], name
    own = descriptions(sql())
    everywhere = sections["everywhere"].items()
    repeated = {name for name, text in own.items() if (name.partition(".")[2], text) in everywhere}
    assert repeated == set()

"""What SQL users read of the schema: every relation and every column says what it holds."""

import pytest
from sqlalchemy import text

from mirpipe.db.migrate import downgrade, migrate
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

_SILENT = text("""
    SELECT c.relname || coalesce('.' || a.attname, '') AS name
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND coalesce(col_description(c.oid, a.attnum), '') = ''
    UNION
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''
    ORDER BY 1
""")
_LENGTHY = text("""
    SELECT objoid::regclass::text FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace = 'mirpipe'::regnamespace
      AND (length(description) > 300 OR description ~ '[\n\r]')
""")


def silent(database: Database) -> list[str]:
    with database.reader.connect() as connection:
        return list(connection.execute(_SILENT).scalars())


def test_every_relation_and_column_is_explained(fresh_database: Database) -> None:
    SyntheticLibrary(fresh_database.app)  # whose encoder brings a partition and a view
    assert silent(fresh_database) == []


def test_an_explanation_is_a_line(fresh_database: Database) -> None:
    with fresh_database.reader.connect() as connection:
        assert connection.execute(_LENGTHY).scalars().all() == []


def test_partition_of_an_encoder_says_whose_vectors_it_holds(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app, name="somebody")
    partition = f"mirpipe.embedding_{library.encoder_id}"
    view = f"mirpipe.v_embedding_{library.encoder_id}"
    asked = "SELECT obj_description(CAST(:relation AS regclass), 'pg_class')"
    for relation in (partition, view):
        assert "somebody, revision r1" in library.rows(asked, relation=relation)[0][0]


@pytest.mark.parametrize("revision", ["0009", "0008"])
def test_explanations_outlive_a_way_down_and_up(fresh_database: Database, revision: str) -> None:
    SyntheticLibrary(fresh_database.app)
    downgrade(revision)
    if revision == "0009":
        assert silent(fresh_database) == []
    migrate()
    assert silent(fresh_database) == []

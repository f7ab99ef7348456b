"""Pending pair scores are counted after every change that can make them pending."""

import pytest
from sqlalchemy import text

from mirpipe.db.store import pair_input_changes
from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from mirpipe.stages.report import report
from tests.support.databases import Database
from tests.support.query_plans import rows_read
from tests.support.synthetic_library import SyntheticLibrary

# The tables on which a view depends, directly or through other views.
TABLES = text("""
    WITH RECURSIVE used (oid) AS (
        SELECT CAST('mirpipe.pending_pair' AS regclass)::oid
        UNION
        SELECT d.refobjid FROM used u JOIN pg_rewrite r ON r.ev_class = u.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE d.refclassid = 'pg_class'::regclass)
    SELECT relname FROM used JOIN pg_class USING (oid) WHERE relkind IN ('r', 'p')
""")
WITH_TRIGGER = text("""
    SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname LIKE 'pair_input_%' AND NOT c.relispartition
    GROUP BY c.relname HAVING count(*) = 3 OR c.relname = 'pair_score'
""")
DELETE_SCORES = "DELETE FROM mirpipe.pair_score"


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """A complete library with one match, of which one pair metric has a score."""
    library = SyntheticLibrary(fresh_database.app)
    library.add("target", "t", (1, 0, 0))
    library.add("reference", "r", (1, 1, 0))
    for statement in (
        "INSERT INTO mirpipe.metric (name, revision, spec) VALUES ('melody', '1', '{}'), "
        "('accuracy', '1', '{\"compares\": \"melodies\"}')",
        "INSERT INTO mirpipe.melody SELECT metric_id, track_id, 2, '\\x1f', 1, true, NULL "
        "FROM mirpipe.metric, mirpipe.track WHERE name = 'melody'",
        "INSERT INTO mirpipe.neighbour SELECT encoder_id, t.track_id, r.track_id, 0.5 "
        "FROM mirpipe.encoder, mirpipe.track t, mirpipe.track r "
        "WHERE (t.title, r.title) = ('t', 'r')",
        "INSERT INTO mirpipe.pair_score SELECT metric_id, target_id, reference_id, 0.5, NULL "
        "FROM mirpipe.metric, mirpipe.neighbour WHERE name = 'accuracy'",
    ):
        library.execute(statement)
    report(trigger="test")
    assert library.rows("SELECT * FROM mirpipe.pair_input_change") == []
    return library


def counted(library: SyntheticLibrary) -> list[tuple[object, ...]]:
    return library.rows("SELECT plugin, items FROM mirpipe.v_pending WHERE stage = 'evaluate'")


def test_every_table_on_which_pending_pairs_depend_leaves_a_mark(fresh_database: Database) -> None:
    with fresh_database.owner.connect() as owner:
        read, noted = (set(owner.execute(query).scalars()) for query in (TABLES, WITH_TRIGGER))
    assert {"neighbour", "melody", "generation"} <= read
    assert read <= noted


def test_pending_pairs_are_counted_after_a_change_until_a_report_finds_none(
    library: SyntheticLibrary,
) -> None:
    library.execute(DELETE_SCORES)
    assert counted(library) == [("accuracy", 1)]
    report(trigger="test")
    assert counted(library) == [("accuracy", 1)]


def test_a_change_is_not_lost_if_a_report_ends_before_it_is_committed(
    library: SyntheticLibrary,
) -> None:
    with library.app.begin() as other:
        other.execute(text(DELETE_SCORES))
        report(trigger="test")
    assert counted(library) == [("accuracy", 1)]


def test_verify_finds_a_missing_mark_and_prune_adds_it(library: SyntheticLibrary) -> None:
    library.execute(DELETE_SCORES)
    library.execute("DELETE FROM mirpipe.pair_input_change")
    assert counted(library) == []
    with library.app.connect() as connection:
        assert "pending" in {each.check for each in differences(connection)}
    prune(settings())
    assert counted(library) == [("accuracy", 1)]
    with library.app.connect() as connection:
        assert not pair_input_changes.is_mark_missing(connection)


def test_a_statement_that_changes_no_row_leaves_no_mark(library: SyntheticLibrary) -> None:
    library.execute("DELETE FROM mirpipe.failure")
    library.execute("UPDATE mirpipe.track SET title = title WHERE false")
    assert library.rows("SELECT * FROM mirpipe.pair_input_change") == []


def test_without_a_change_no_pair_is_read(library: SyntheticLibrary) -> None:
    with library.app.connect() as connection:
        query = text("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM mirpipe.v_pending")
        plan = connection.execute(query).scalar_one()
    assert rows_read(plan, "neighbour") == 0

"""What every view that readers see must say: what it is, under what licence, whether it is real."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.dashboard.filled import Model, Piece, fill, rate
from tests.support.databases import Database

NO_RESULTS = {"v_library", "v_pending", "v_failure"}
"""They tell of files and of work, and show no number that weights made."""

PIECES = (
    Piece("target", "t"),
    Piece("reference", "r", Path("/r.ogg")),
    Piece("reference", "far", Path("/far.ogg")),
)
REAL, RANDOM = Model("real", 0.5, 0.1), Model("fake", 0.5, 0.1, "w (random)", "none (random)")


def views(database: Database) -> dict[str, set[str]]:
    with database.reader.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns "
                r"WHERE table_schema = 'mirpipe' AND table_name ~ '^v_(?!embedding_\d)'"
            )
        )
        found: dict[str, set[str]] = {}
        for view, column in rows:
            found.setdefault(view, set()).add(column)
        return found


def ask(database: Database, query: str) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_every_view_of_results_has_licence_and_random_mark(fresh_database: Database) -> None:
    found = views(fresh_database)
    assert {"v_track_score", "v_aesthetics", "v_change", "v_retrieval"} <= found.keys()
    lacking = {
        view: {"licence_weights", "random"} - columns
        for view, columns in found.items()
        if view not in NO_RESULTS
    }
    assert {view: columns for view, columns in lacking.items() if columns} == {}


def test_every_view_and_every_mark_is_explained(fresh_database: Database) -> None:
    described = ask(
        fresh_database,
        "SELECT c.relname, obj_description(c.oid), "
        "bool_and(col_description(c.oid, a.attnum) IS NOT NULL) "
        "FILTER (WHERE a.attname IN ('licence_weights', 'random')) "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'v' "
        "AND c.relname LIKE 'v\\_%' GROUP BY c.oid, c.relname",
    )
    assert [view for view, said, _ in described if not said] == []
    assert [view for view, _, marks in described if marks is False] == []


@pytest.mark.parametrize("view", ["v_encoder", "v_retrieval", "v_retrieval_summary", "v_change"])
def test_results_of_an_encoder_carry_its_licence_and_mark(
    fresh_database: Database, view: str
) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL, RANDOM])
    rows = ask(
        fresh_database, f"SELECT DISTINCT encoder, licence_weights, random FROM mirpipe.{view}"
    )
    assert sorted(rows) == [("fake", "none (random)", True), ("real", "Apache-2.0", False)]


@pytest.mark.parametrize("checkpoint", ["weights", "weights (random)"])
@pytest.mark.parametrize("view", ["v_track_score", "v_aesthetics"])
def test_scores_carry_the_models_licence_and_mark(
    fresh_database: Database, view: str, checkpoint: str
) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL])
        rate(connection, "r", 1, 2, 3, 4, checkpoint=checkpoint)
    rows = ask(fresh_database, f"SELECT DISTINCT licence_weights, random FROM mirpipe.{view}")
    assert rows == [("CC-BY-4.0", "random" in checkpoint)]


def test_a_summary_of_scores_carries_both_licences_and_either_mark(
    fresh_database: Database,
) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL])
        rate(connection, "r", 1, 2, 3, 4, checkpoint="weights (random)")
    rows = ask(
        fresh_database,
        "SELECT metric, licence_weights, random, metric_random, metric_revision "
        "FROM mirpipe.v_retrieval_summary WHERE metric IN ('cosine', 'aesthetics_ce') "
        "ORDER BY metric",
    )
    assert rows == [
        ("aesthetics_ce", "Apache-2.0; CC-BY-4.0", True, True, "1"),
        ("cosine", "Apache-2.0", False, False, None),
    ]


def test_aesthetics_are_a_row_a_scored_track(fresh_database: Database) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL])
        rate(connection, "r", 1.5, 2.5, 3.5, 4.5)
    query = "SELECT title, collection, ce, cu, pc, pq, reason FROM mirpipe.v_aesthetics"
    assert ask(fresh_database, query) == [("r", "reference", 1.5, 2.5, 3.5, 4.5, None)]

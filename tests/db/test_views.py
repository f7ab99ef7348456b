"""Reader views: each row shows the licence and whether the weights are random."""

from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db.migrate import migrate
from tests.dashboard.example_library import Model, Piece, fill, rate, update_summaries
from tests.migrations.queries import execute
from tests.migrations.revision_0010 import load_revision_0010
from tests.support.databases import Database

NO_RESULTS = {
    *("v_library", "v_pending", "v_failure", "v_finding", "v_same_recording", "v_gate"),
    *("v_listening_test", "v_listening_strength", "v_listening_metric", "v_challenger"),
}
"""Views of files, findings, fingerprints, pending work and failures, which need no weights.

A gate does not decide about results from random weights. In a listening test, people decide. A
challenger has rows only while it waits; `tests/operations/test_promote.py` tests its mark.
"""
NEVER_RANDOM = {"v_fusion", "v_published"}
"""Views that never show results from random weights."""

PIECES = (
    Piece("target", "t"),
    Piece("reference", "r", Path("/r.ogg")),
    Piece("reference", "far", Path("/far.ogg")),
)
REAL = Model("real", 0.5, 0.1, "random_forest.onnx")
RANDOM = Model("fake", 0.5, 0.1, "w (random)", "none (random)", is_random=True)


def views(database: Database) -> dict[str, set[str]]:
    """Return the column names of each reader view."""
    rows = ask(
        database,
        "SELECT table_name, column_name FROM information_schema.columns "
        r"WHERE table_schema = 'mirpipe' AND table_name ~ '^v_(?!embedding_\d)'",
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
    missing = {
        view: {"licence_weights", "random"} - columns
        for view, columns in found.items()
        if view not in NO_RESULTS
    }
    assert {view: columns for view, columns in missing.items() if columns} == {}


def test_random_weights_are_marked_in_every_view_whatever_the_checkpoint_is_called(
    fresh_database: Database,
) -> None:
    load_revision_0010(fresh_database)
    migrate()
    [(title,)] = ask(fresh_database, "SELECT min(reference) FROM mirpipe.v_retrieval")
    with fresh_database.owner.begin() as owner:
        rate(owner, title, 1, 2, 3, 4)
    marked = views(fresh_database)
    for is_random, checkpoint in ((False, "random_forest.onnx"), (True, "weights.onnx")):
        spec = f'{{"is_random": {str(is_random).lower()}, "checkpoint": "{checkpoint}"}}'
        for table in ("encoder", "metric", "captioner", "generator"):
            execute(fresh_database, f"UPDATE mirpipe.{table} SET spec = spec || '{spec}'")
        with fresh_database.owner.begin() as owner:
            update_summaries(owner)
        for view in marked.keys() - NO_RESULTS:
            own = "WHERE source = 'library'" if "source" in marked[view] else ""
            fused = "WHERE encoder <> 'fusion'" if view.startswith("v_ranking") else ""
            matches = "WHERE encoder IS NOT NULL" if view == "v_relation" else ""
            where = f"{own}{fused}{matches}"
            rows = ask(fresh_database, f"SELECT DISTINCT random FROM mirpipe.{view} {where}")
            assert rows == [(is_random and view not in NEVER_RANDOM,)], view


@pytest.mark.parametrize("view", ["v_encoder", "v_retrieval", "v_retrieval_summary", "v_change"])
def test_results_of_an_encoder_have_its_licence_and_mark(
    fresh_database: Database, view: str
) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL, RANDOM])
    rows = ask(
        fresh_database, f"SELECT DISTINCT encoder, licence_weights, random FROM mirpipe.{view}"
    )
    assert sorted(rows) == [("fake", "none (random)", True), ("real", "Apache-2.0", False)]


@pytest.mark.parametrize("is_random", [False, True])
@pytest.mark.parametrize("view", ["v_track_score", "v_aesthetics"])
def test_scores_have_the_models_licence_and_mark(
    fresh_database: Database, view: str, is_random: bool
) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL])
        rate(connection, "r", 1, 2, 3, 4, is_random=is_random)
    rows = ask(fresh_database, f"SELECT DISTINCT licence_weights, random FROM mirpipe.{view}")
    assert rows == [("CC-BY-4.0", is_random)]


def test_a_summary_of_scores_has_both_licences_and_either_mark(fresh_database: Database) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL])
        rate(connection, "r", 1, 2, 3, 4, is_random=True)
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


def test_aesthetics_have_one_row_per_scored_track(fresh_database: Database) -> None:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [REAL])
        rate(connection, "r", 1.5, 2.5, 3.5, 4.5)
    query = "SELECT title, collection, ce, cu, pc, pq, reason FROM mirpipe.v_aesthetics"
    assert ask(fresh_database, query) == [("r", "reference", 1.5, 2.5, 3.5, 4.5, None)]

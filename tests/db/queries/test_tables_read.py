"""Which tables the queries of the dashboard read. In a large library, each one takes seconds."""

from pathlib import Path

import pytest
from sqlalchemy import TextClause, text

from mirpipe.db import queries
from mirpipe.db.queries.encoder_revisions import _ACTIVE_ENCODERS
from mirpipe.db.queries.target_order import _query, target_order
from mirpipe.db.queries.targets import _TARGETS
from mirpipe.db.queries.track_list import TrackFilter, parameters
from tests.dashboard.example_clips import UNGUIDED, Maker, describe, make
from tests.dashboard.example_library import rate
from tests.dashboard.open_page import DEMO
from tests.support.databases import Database
from tests.support.query_plans import Plan, tables_read
from tests.support.synthetic_library import SyntheticLibrary


def plan_of(database: Database, query: TextClause, **parameters: object) -> Plan:
    with database.reader.connect() as connection:
        explained = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query.text}")
        plan: Plan = connection.execute(explained, parameters).scalar_one()
    return plan


def test_the_list_of_targets_reads_neither_files_nor_scores(filled: Database) -> None:
    (target,) = queries.targets()
    assert target.has_matches
    read = tables_read(plan_of(filled, _TARGETS))
    assert {"track", "served_neighbour"} <= read
    assert not read & {"track_file", "pair_score", "run_target", "run_encoder"}


def test_active_encoders_are_listed_without_counting_vectors(filled: Database) -> None:
    expected = [row for row in queries.encoder_revisions() if row.serving]
    assert [(row.encoder, row.licence_weights, row.random) for row in expected] == [
        (row.encoder, row.licence_weights, row.random) for row in queries.active_encoders()
    ]
    assert len(expected) == 2
    plan = plan_of(filled, _ACTIVE_ENCODERS, encoder_order=[])
    assert tables_read(plan) == {"encoder", "serving_revision"}


def test_vectors_are_not_read_to_count_imported_ones_if_there_are_none(
    fresh_database: Database,
) -> None:
    for name in ("first", "second"):
        SyntheticLibrary(fresh_database.app, name=name).add("reference", name, [1, 0, 0])
    query = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT imported_n FROM mirpipe.v_encoder"
    with fresh_database.reader.connect() as connection:
        plan = "\n".join(connection.execute(text(query)).scalars())
    assert "Aggregate (never executed)" in plan, plan
    assert [row.imported_n for row in queries.encoder_revisions()] == [0, 0]


@pytest.mark.parametrize("order", ["lowest first", "highest first"])
def test_an_order_of_targets_reads_only_the_scores_by_which_it_sorts(
    filled: Database, tmp_path: Path, order: str
) -> None:
    with filled.app.begin() as connection:
        describe(connection)
        sound = DEMO / "target/Jazz 120 BPM.ogg"
        make(connection, [Maker("resynth", UNGUIDED)], tmp_path, sound)
        rate(connection, "t", 1.0, 2.0, 3.0, 4.0)
    with filled.owner.begin() as owner:
        owner.execute(text("ANALYZE"))  # Else the plan depends on what autovacuum has counted.
    chosen = TrackFilter()
    plan = plan_of(
        filled,
        _query(chosen, order, with_clips=True),
        metric="aesthetics_pq",
        genre=None,
        instrument=None,
        **parameters(chosen),
    )
    read = tables_read(plan)
    assert "track_score" in read
    assert not read & {"pair_score", "caption_embedding"}
    expected = [queries.targets()[0].track_id]
    assert target_order("aesthetics_pq", order=order) == expected
    assert target_order("melody_accuracy", order=order) == expected
    assert target_order("unknown", order=order) == expected

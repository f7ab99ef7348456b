"""The results of one past run are found without reading those of all runs."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from mirpipe.db.queries import run_comparison, shared_best_matches
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database, database
from tests.support.query_plans import Plan, rows_read
from tests.support.synthetic_library import SyntheticLibrary

RUNS, TARGETS = 2000, 20

# Each match of each target changes every 20 runs, and every target has results in every run.
FILL = (
    "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, state) "
    "SELECT c, sha256(convert_to(c || n, 'UTF8')), c || n, 1, -20, 'ok' "
    f"FROM unnest('{{target,reference}}'::text[]) c, generate_series(1, {TARGETS}) n",
    "INSERT INTO mirpipe.run (trigger, state_digest, library, same_recording_counts) "
    f"SELECT 'test', n, '{{}}', false FROM generate_series(1, {RUNS}) n",
    """
    INSERT INTO mirpipe.served_neighbour
        (encoder_id, target_id, rank, counted_rank, reference_id, cosine, from_run, to_run)
    SELECT encoder_id, t.track_id, rank, rank, t.track_id + 20, 0.5, first, nullif(first + 20, 2001)
    FROM mirpipe.encoder, mirpipe.track t, generate_series(1, 10) rank,
        generate_series(1, 1981, 20) first
    WHERE t.collection = 'target'
    """,
    """
    INSERT INTO mirpipe.run_target
    SELECT run_id, encoder_id, track_id, 20, 0.1, 0.2
    FROM mirpipe.run, mirpipe.encoder, mirpipe.track WHERE collection = 'target'
    """,
    """
    INSERT INTO mirpipe.run_encoder
    SELECT 1000, encoder_id, 20, 20, 190, ARRAY(SELECT random() FROM generate_series(1, 1001))
    FROM mirpipe.encoder
    """,
    """
    INSERT INTO mirpipe.neighbour_change
        (run_id, encoder_name, target_id, reference_id, cause)
    SELECT from_run, name, target_id, reference_id, 'first match'
    FROM mirpipe.served_neighbour JOIN mirpipe.encoder USING (encoder_id) WHERE rank = 1
    """,
)


@pytest.fixture(scope="module")
def history(embedded: EmbeddedPostgres) -> Iterator[Database]:
    """A database with 2,000 runs, whose 20,000 published matches are valid for 20 runs each."""
    with database(embedded, "past_runs") as created:
        library = SyntheticLibrary(created.app)
        for statement in FILL:
            library.execute(statement)
        with created.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
            owner.execute(text("VACUUM ANALYZE"))
        yield created


def plan_of(
    history: Database, query: str, *, options: str = "ANALYZE", **parameters: object
) -> Plan:
    with history.reader.connect() as connection:
        explained = text(f"EXPLAIN ({options}, FORMAT JSON) {query}")
        plan: Plan = connection.execute(explained, parameters).scalar_one()
    return plan


@pytest.mark.parametrize("run_id", [3, RUNS // 2, RUNS])
def test_the_matches_of_a_run_are_found_without_those_of_other_runs(
    history: Database, run_id: int
) -> None:
    with history.reader.connect() as connection:
        query = text(f"SELECT count(*), count(z) FROM mirpipe.top_neighbour_at({run_id})")
        assert connection.execute(query).one() == (200, 200)
    plan = plan_of(history, f"SELECT * FROM mirpipe.top_neighbour_at({run_id})")
    assert rows_read(plan, "served_neighbour") <= 400
    assert rows_read(plan, "run_target") <= 400


def test_a_change_reads_the_matches_of_its_runs_without_those_of_other_runs(
    history: Database,
) -> None:
    query = shared_best_matches._LISTED.format(run="then")
    plan = plan_of(history, query, encoder="made_up", then=RUNS // 2)
    assert 200 <= rows_read(plan, "served_neighbour") <= 400


def test_the_matches_of_a_target_in_a_run_are_found_without_those_of_other_targets(
    history: Database,
) -> None:
    plan = plan_of(history, "SELECT * FROM mirpipe.top_neighbour_at(900) WHERE target = 'target7'")
    assert rows_read(plan, "run_target") <= 400
    assert rows_read(plan, "served_neighbour") <= 1000


def test_the_changes_of_a_run_and_of_a_target_are_found_without_all_others(
    history: Database,
) -> None:
    of_run = plan_of(history, "SELECT * FROM mirpipe.v_change WHERE run_id = 21")
    assert 0 < rows_read(of_run, "neighbour_change") <= 40
    of_target = plan_of(history, "SELECT * FROM mirpipe.v_change WHERE target_id = 7")
    assert 0 < rows_read(of_target, "neighbour_change") <= 200


def test_two_runs_are_compared_without_reading_other_runs(history: Database) -> None:
    parameters = {"before": 100, "after": 1500, "encoder_order": ["made_up"]}
    parameters |= {"limit": 10, "offset": 0}
    plan = plan_of(history, run_comparison._DIFFERENCES.text, **parameters)
    assert 0 < rows_read(plan, "served_neighbour") <= 1000


def test_the_percentile_scale_of_a_run_is_read_once(history: Database) -> None:
    def blocks(run_id: int) -> int:
        query = f"SELECT * FROM mirpipe.top_neighbour_at({run_id})"
        plan = plan_of(history, query, options="ANALYZE, BUFFERS")
        return int(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])

    assert blocks(1000) - blocks(999) < 100  # Run 999 has no scale. Each run has 200 matches.

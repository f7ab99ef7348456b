"""Events of an asset arrive while the DAG that they start is paused, or while it is running."""

import pytest
from sqlalchemy import text

from tests.faults.conftest import FIRST, SECOND, THIRD, Library
from tests.faults.running_airflow import DONE_SECONDS, RunningAirflow
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

GENERATE = "generate_music"


def clip_ids(airflow: RunningAirflow) -> set[int]:
    with airflow.music.connect() as connection:
        query = "SELECT generation_id FROM mirpipe.generation"
        return set(connection.execute(text(query)).scalars())


def test_the_clock_does_the_work_of_an_event_that_arrived_while_the_dag_was_paused(
    after_pause: RunningAirflow,
) -> None:
    airflow = after_pause
    (event,) = airflow.rows(
        "SELECT timestamp FROM asset_event JOIN asset ON asset.id = asset_id "
        "WHERE name = 'metrics' ORDER BY timestamp LIMIT 1"
    )
    (run,) = airflow.rows(
        "SELECT run_type, queued_at FROM dag_run WHERE dag_id = :dag_id ORDER BY id LIMIT 1",
        dag_id=GENERATE,
    )
    assert run.run_type == "scheduled"
    assert event.timestamp < run.queued_at
    assert airflow.clips()[FIRST] == 3


def test_four_events_during_a_run_start_exactly_one_more_run(
    after_restart: RunningAirflow, library: Library
) -> None:
    airflow = after_restart
    before = clip_ids(airflow)
    eventually(lambda: airflow.is_running(GENERATE, "plan_caption"), seconds=2 * DONE_SECONDS)
    # The run has planned which targets it analyses, so it cannot generate clips for another target.
    library.add("target", THIRD)
    airflow.mirpipe("ingest", "--collection", "target", str(library.targets))
    for _ in range(4):
        airflow.announce("metrics")
    assert airflow.runs(GENERATE, kind="asset_triggered") == ["running"]
    eventually(
        lambda: airflow.runs(GENERATE, kind="asset_triggered") == ["success"] * 2,
        seconds=2 * DONE_SECONDS,
    )
    assert airflow.rows("SELECT FROM asset_dag_run_queue") == []
    assert airflow.clips() == {FIRST: 3, SECOND: 3, THIRD: 3}
    assert before < clip_ids(airflow)

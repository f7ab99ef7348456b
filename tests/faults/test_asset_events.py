"""Events of an asset arrive while the DAG that they start is running, or while it is paused."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.faults.conftest import FIRST, FOURTH, SECOND, THIRD, Library
from tests.faults.running_airflow import DONE_SECONDS, RunningAirflow
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

GENERATE = "generate_music"


@pytest.fixture(scope="module")
def add_target(after_restart: RunningAirflow, library: Library) -> Callable[[str], None]:
    """Return a function that adds a target, which only the next runs of generate_music can see."""
    for dag_id in ("evaluate_retrieval", GENERATE):
        eventually(
            lambda dag_id=dag_id: after_restart.all_succeed(dag_id, number=2), seconds=DONE_SECONDS
        )

    def add(title: str) -> None:
        library.add("target", title)
        after_restart.mirpipe("ingest", "--collection", "target", str(library.targets))

    return add


def clip_ids(airflow: RunningAirflow) -> set[int]:
    with airflow.music.connect() as connection:
        query = "SELECT generation_id FROM mirpipe.generation"
        return set(connection.execute(text(query)).scalars())


def test_four_events_during_a_run_start_exactly_one_more_run(
    after_restart: RunningAirflow, add_target: Callable[[str], None]
) -> None:
    airflow = after_restart
    before, runs = clip_ids(airflow), len(airflow.runs(GENERATE))
    airflow.announce("metrics")
    eventually(lambda: airflow.is_running(GENERATE, "plan_caption"), seconds=DONE_SECONDS)
    add_target(THIRD)
    for _ in range(4):
        airflow.announce("metrics")
    assert airflow.runs(GENERATE)[runs:] == ["running"]
    eventually(lambda: airflow.all_succeed(GENERATE, number=runs + 2), seconds=DONE_SECONDS)
    assert airflow.rows("SELECT FROM asset_dag_run_queue") == []
    assert airflow.clips() == {FIRST: 3, SECOND: 3, THIRD: 3}
    assert before < clip_ids(airflow)


def test_the_clock_does_the_work_of_events_that_arrived_while_the_dag_was_paused(
    after_restart: RunningAirflow, add_target: Callable[[str], None]
) -> None:
    airflow = after_restart
    started_by_events = len(airflow.runs(GENERATE, kind="asset_triggered"))
    airflow.set_paused(GENERATE, paused=True)
    add_target(FOURTH)
    airflow.announce("metrics")
    airflow.set_paused(GENERATE, paused=False)
    # Airflow does not keep an event for a paused DAG. Make the nightly run due within a minute.
    airflow.restart_dag_processor(MIRPIPE_GENERATE_CRON="* * * * * */20")
    eventually(lambda: airflow.clips().get(FOURTH) == 3, seconds=DONE_SECONDS)
    airflow.set_paused(GENERATE, paused=True)
    eventually(lambda: set(airflow.runs(GENERATE)) == {"success"}, seconds=DONE_SECONDS)
    assert len(airflow.runs(GENERATE, kind="asset_triggered")) == started_by_events

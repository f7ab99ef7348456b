"""The API server is killed while tasks run and while a task is queued, and started again later."""

from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import SECOND
from tests.faults.running_airflow import DONE_SECONDS, RunningAirflow
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def process_ids(airflow: RunningAirflow) -> list[int]:
    """Return the process id of each try of the task `hold`."""
    return [int(line) for line in Path(airflow.settings.home, "held").read_text().split()]


def test_a_task_whose_token_ran_out_while_it_was_queued_is_done(
    after_restart: RunningAirflow,
) -> None:
    eventually(lambda: after_restart.all_succeed("queued", number=1), seconds=DONE_SECONDS)
    assert Path(after_restart.settings.home, "written").exists()
    (task,) = [task for task in after_restart.tasks("queued") if task.task_id == "write"]
    assert task.try_number > 1


def test_a_task_whose_heartbeats_failed_runs_again_and_only_once(
    after_restart: RunningAirflow,
) -> None:
    eventually(lambda: len(process_ids(after_restart)) == 2, seconds=DONE_SECONDS)
    first, second = process_ids(after_restart)
    eventually(lambda: not psutil.pid_exists(first), seconds=DONE_SECONDS)
    assert psutil.pid_exists(second)
    Path(after_restart.settings.home, "release").touch()
    eventually(lambda: after_restart.all_succeed("held", number=1), seconds=DONE_SECONDS)
    assert len(process_ids(after_restart)) == 2


def test_the_evaluation_and_generation_are_done_in_the_end(after_restart: RunningAirflow) -> None:
    airflow = after_restart
    eventually(lambda: airflow.all_succeed("evaluate_retrieval", number=2), seconds=DONE_SECONDS)
    eventually(lambda: airflow.clips().get(SECOND) == 3, seconds=DONE_SECONDS)
    eventually(lambda: airflow.is_idle("generate_music"), seconds=DONE_SECONDS)
    assert set(airflow.runs("generate_music")) == {"success"}
    assert "all checks passed" in airflow.mirpipe("verify")

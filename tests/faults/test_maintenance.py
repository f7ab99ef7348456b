"""`mirpipe prune` and the DAG `maintenance`, after the main job has run several times."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.faults.running_airflow import DONE_SECONDS, RunningAirflow
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def prune(airflow: RunningAirflow, *options: str) -> dict[str, Any]:
    """Run `mirpipe prune` and return the number of unneeded rows by table."""
    rows: dict[str, Any] = json.loads(airflow.mirpipe("prune", "--json", *options))["rows"]
    return rows


def test_results_are_verified_after_prune(after_restart: RunningAirflow) -> None:
    airflow = after_restart
    eventually(lambda: airflow.is_idle("evaluate_retrieval"), seconds=DONE_SECONDS)
    eventually(lambda: airflow.is_idle("generate_music"), seconds=DONE_SECONDS)
    clips = airflow.clips()
    with airflow.music.begin() as connection:
        query = "UPDATE mirpipe.track SET changed_at = '2020-01-01' WHERE state = 'gone'"
        assert connection.execute(text(query)).rowcount == 1
    unneeded = prune(airflow)
    assert unneeded["embedding"] == 1
    assert prune(airflow, "--yes") == unneeded
    assert prune(airflow) == {}
    assert airflow.clips() == clips
    assert "all checks passed" in airflow.mirpipe("verify")


def test_the_maintenance_dag_succeeds(after_restart: RunningAirflow) -> None:
    airflow = after_restart
    airflow.client.trigger("maintenance")
    eventually(lambda: airflow.all_succeed("maintenance", number=1), seconds=DONE_SECONDS)
    done = {task.task_id: task.state for task in airflow.tasks("maintenance")}
    assert done == dict.fromkeys(("prune", "clean_airflow_history", "delete_old_logs"), "success")
    assert "all checks passed" in airflow.mirpipe("verify")

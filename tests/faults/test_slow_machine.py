"""Heartbeats and the import of a DAG file take 30 s: nothing that is only slow is given up."""

import pytest

from tests.faults.conftest import FIRST
from tests.faults.running_airflow import RunningAirflow

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_no_task_is_given_up_on_a_slow_machine(after_slow_machine: RunningAirflow) -> None:
    airflow = after_slow_machine
    assert airflow.client.import_errors() == []
    first_runs = ("slow_import", "ingest_library", "evaluate_retrieval", "generate_music")
    tries = {task.try_number for dag_id in first_runs for task in airflow.tasks(dag_id)}
    assert tries == {1}, airflow.problems()
    assert airflow.events("heartbeat timeout") == []
    assert airflow.clips() == {FIRST: 3}

"""Heartbeats and the import of a DAG file take 30 s: nothing that is only slow is given up."""

import pytest

from tests.faults.running_airflow import RunningAirflow

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_no_task_is_given_up_on_a_slow_machine(after_slow_machine: RunningAirflow) -> None:
    airflow = after_slow_machine
    assert airflow.client.import_errors() == []
    for dag_id in ("slow_import", "ingest_library", "evaluate_retrieval"):
        assert set(airflow.tries_in_first_run(dag_id)) == {1}, airflow.problems()
    # A task may take as long as a heartbeat to report its success.
    assert "overtime reached" not in airflow.servers.log("scheduler").read_text()

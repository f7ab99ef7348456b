"""The last task of every DAG: it makes the DAG run fail if any task has failed."""

from typing import Any

from airflow.sdk import chain, task
from airflow.sdk.exceptions import AirflowFailException


def fail_run_if_any_failed(*tasks: Any) -> None:
    """Add a last task to the current DAG. It fails if any of `tasks` failed; else it is skipped.

    Airflow derives the state of a DAG run from its last tasks. Many tasks here run even if the
    tasks before them failed, so without this task such a run would count as a success.
    """

    @task(task_id="anything_failed", trigger_rule="one_failed", retries=0)
    def anything_failed() -> None:
        raise AirflowFailException("a task failed; all tasks that do not depend on it have run")

    chain(list(tasks), anything_failed())

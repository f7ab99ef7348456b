"""The last task of every DAG, which makes the DAG run fail if any task has failed."""

from typing import Any

from airflow.sdk import chain, task
from airflow.sdk.exceptions import AirflowFailException


def fail_run_if_any_failed(*tasks: Any) -> None:
    """Add a last task to the current DAG that fails if any of `tasks` failed, and else is skipped.

    Airflow derives the state of a DAG run from its last tasks. Many of mirpipe's tasks run even if
    the tasks before them failed, so without this last task, such a run would count as a success.
    """

    @task(task_id="anything_failed", trigger_rule="one_failed", retries=0)
    def anything_failed() -> None:
        raise AirflowFailException("a task failed; all tasks that do not depend on it have run")

    chain(list(tasks), anything_failed())

"""Makes a failure visible that the rest of a DAG run has gone on without."""

from typing import Any

from airflow.sdk import chain, task
from airflow.sdk.exceptions import AirflowFailException


def fail_where_any_failed(*tasks: Any) -> None:
    """Adds a last task to the DAG: it fails where any of `tasks` did, and is skipped otherwise.

    A run's state is that of its last tasks, and those of ours run whatever became of the others.
    """

    @task(task_id="anything_failed", trigger_rule="one_failed", retries=0)
    def anything_failed() -> None:
        raise AirflowFailException("a task failed; the others did what could be done without it")

    chain(list(tasks), anything_failed())

"""The last task of every DAG, which makes the DAG run fail if any task has failed."""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import chain

LAST_TASK = "complete"


def fail_run_if_any_failed(*tasks: Any) -> None:
    """Add a last task to the current DAG. It fails if any of `tasks` failed; otherwise it succeeds.

    Airflow derives the state of a DAG run from its last tasks. Many of mirpipe's tasks run even if
    the tasks before them failed, so without this last task, such a run would count as a success.
    The scheduler sets the task's state itself, without a process.
    """
    chain(list(tasks), EmptyOperator(task_id=LAST_TASK, trigger_rule="none_failed"))

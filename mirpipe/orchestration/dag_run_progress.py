"""Show the progress of a DAG run, and list its failed tasks."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun, TaskState

POLL_SECONDS = 1.0
"""Time between two calls. Each call costs the API server tens of milliseconds of CPU time."""
_POLLS_PER_REFRESH = 10
"""While a task has not ended, the run is only queried in one of this number of polls."""
_ENDED_STATES = {"success", "failed", "skipped", "upstream_failed", "removed"}

_SHOWN_STATES = {
    "running": "runs",
    "success": "done",
    "failed": "failed",
    "up_for_retry": "failed, will be tried again",
    "skipped": "skipped",
}


def show_until_ended(
    airflow: AirflowClient,
    run: DagRun,
    *,
    show: Callable[[str], None],
    require_alive: Callable[[], None],
) -> DagRun:
    """Show each change of a task's state until the run has ended, and return the ended run.

    `require_alive` raises an error if Airflow is no longer running.
    """
    last_states: dict[tuple[str, int], str | None] = {}

    def show_changes() -> bool:
        """Show each task whose state has changed, and return whether all tasks have ended."""
        tasks = airflow.task_states(run)
        for task in tasks:
            key = (task.task_id, task.map_index)
            if task.state != last_states.get(key) and task.state in _SHOWN_STATES:
                show(f"{run.dag_id}: {_task_name(task)} {_SHOWN_STATES[task.state]}")
            last_states[key] = task.state
        return all(task.state in _ENDED_STATES for task in tasks)

    for poll in itertools.count():
        if show_changes() or poll % _POLLS_PER_REFRESH == 0:
            run = airflow.refresh(run)
            if run.has_ended:
                show_changes()
                break
        require_alive()
        time.sleep(POLL_SECONDS)
    return run


def failure_lines(airflow: AirflowClient, run: DagRun, *, task_logs: Path) -> list[str]:
    """Return one line per failed task of an ended run, with the path of its log file.

    `task_logs` is Airflow's log folder, in which files have Airflow's default names. If the run
    failed although no task failed, the only line names the run. The result is empty if the run
    succeeded.
    """
    lines = []
    for task in airflow.task_states(run):
        if task.state != "failed":
            continue
        folder = (
            task_logs / f"dag_id={run.dag_id}" / f"run_id={run.run_id}" / f"task_id={task.task_id}"
        )
        if task.map_index >= 0:
            folder /= f"map_index={task.map_index}"
        log = folder / f"attempt={task.try_number}.log"
        lines.append(f"{run.dag_id}: {_task_name(task)} failed: {log}")
    return lines or ([f"{run.dag_id} failed: {run.run_id}"] if run.state == "failed" else [])


def _task_name(task: TaskState) -> str:
    if task.map_index < 0:
        return task.task_id
    return f"{task.task_id} {task.map_index + 1}" + (f" ({task.label})" if task.label else "")

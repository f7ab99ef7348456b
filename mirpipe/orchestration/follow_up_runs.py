"""Find or start the next DAG run of the main job, and wait until it starts."""

from collections.abc import Callable
from datetime import datetime

from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun
from mirpipe.orchestration.dag_run_progress import show_until_ended
from mirpipe.orchestration.polling import wait_until

START_SECONDS = 600

_ASSET_TASKS = {"ingest_library": "announce", "evaluate_retrieval": "report"}
"""Task that updates an asset, by DAG. If the task succeeds, Airflow starts the next DAG."""


def follow_up_run(
    airflow: AirflowClient,
    dag_id: str,
    *,
    after: DagRun,
    since: datetime,
    has_pending_work: Callable[[], bool],
    show: Callable[[str], None],
    require_alive: Callable[[], None],
) -> DagRun | None:
    """Return the DAG's run that follows the ended run `after`, or None if no run is needed.

    If `after` updated an asset, wait for the run that Airflow starts because of the update, which
    is queued later than `since`. Otherwise, return the DAG's run in progress, or start a new run if
    work is pending or the latest run failed.
    """
    if _updated_asset(airflow, after):
        return _wait_for_asset_run(
            airflow, dag_id, since=since, show=show, require_alive=require_alive
        )
    return _run_for_pending_work(airflow, dag_id, has_pending_work=has_pending_work)


def _updated_asset(airflow: AirflowClient, run: DagRun) -> bool:
    task_id = _ASSET_TASKS.get(run.dag_id)
    tasks = airflow.task_states(run)
    return any(task.task_id == task_id and task.state == "success" for task in tasks)


def _wait_for_asset_run(
    airflow: AirflowClient,
    dag_id: str,
    *,
    since: datetime,
    show: Callable[[str], None],
    require_alive: Callable[[], None],
) -> DagRun:
    """Return the run that Airflow starts because an asset was updated.

    The DAG has at most one run at a time, so any other run of the DAG must end first.
    """

    def is_asset_run(run: DagRun) -> bool:
        is_new = run.queued_at is not None and run.queued_at >= since
        return run.run_type == "asset_triggered" and is_new

    def asset_runs() -> list[DagRun]:
        return list(filter(is_asset_run, airflow.latest_runs(dag_id)))

    for run in airflow.latest_runs(dag_id):
        if not (run.has_ended or is_asset_run(run)):
            show_until_ended(airflow, run, show=show, require_alive=require_alive)
    wait_until(
        lambda: bool(asset_runs()),
        seconds=START_SECONDS,
        problem=f"The DAG {dag_id} did not start",
        require_alive=require_alive,
    )
    return asset_runs()[0]


def _run_for_pending_work(
    airflow: AirflowClient, dag_id: str, *, has_pending_work: Callable[[], bool]
) -> DagRun | None:
    latest = airflow.latest_runs(dag_id, limit=1)
    if latest and not latest[0].has_ended:
        return latest[0]
    if has_pending_work() or (latest and latest[0].state == "failed"):
        return airflow.trigger(dag_id)
    return None

"""Find or start the next DAG run of the main job, and wait until it starts."""

from collections.abc import Callable

from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun, TaskState
from mirpipe.orchestration.dag_run_progress import show_until_ended
from mirpipe.orchestration.polling import wait_until

START_SECONDS = 600

_ASSET_TASKS = {
    ("ingest_library", "evaluate_retrieval"): "announce",
    ("evaluate_retrieval", "evaluate_retrieval"): "announce_remaining",
    ("evaluate_retrieval", "generate_music"): "report",
}
"""Task that updates an asset, by its DAG and the DAG that Airflow starts if the task succeeds."""


def follow_up_run(
    airflow: AirflowClient,
    dag_id: str,
    *,
    after: DagRun,
    has_pending_work: Callable[[], bool],
    show: Callable[[str], None],
    require_alive: Callable[[], None],
) -> DagRun | None:
    """Return the DAG's run that follows the ended run `after`, or None if no run is needed.

    If `after` updated an asset that starts the DAG, wait for the run that Airflow starts because of
    the update. Otherwise, return the DAG's run in progress, or start a new run if
    work is pending or the latest run failed.
    """
    if updated_asset(airflow, dag_id, after=after):
        return wait_for_asset_run(
            airflow, dag_id, after=after, show=show, require_alive=require_alive
        )
    return _run_for_pending_work(airflow, dag_id, has_pending_work=has_pending_work)


def updated_asset(airflow: AirflowClient, dag_id: str, *, after: DagRun) -> bool:
    """Return whether the ended run `after` updated an asset that starts the DAG."""
    return bool(_asset_tasks(airflow, dag_id, after=after))


def wait_for_asset_run(
    airflow: AirflowClient,
    dag_id: str,
    *,
    after: DagRun,
    show: Callable[[str], None],
    require_alive: Callable[[], None],
) -> DagRun:
    """Return the run that Airflow starts because the run `after` updated an asset.

    The DAG has at most one run at a time, so any other run of the DAG must end first.
    """
    following = asset_runs(airflow, dag_id, after=after)
    for run in airflow.latest_runs(dag_id):
        if not (run.has_ended or run in following):
            show_until_ended(airflow, run, show=show, require_alive=require_alive)
    wait_until(
        lambda: bool(asset_runs(airflow, dag_id, after=after)),
        seconds=START_SECONDS,
        problem=f"The DAG {dag_id} did not start",
        require_alive=require_alive,
    )
    return asset_runs(airflow, dag_id, after=after)[0]


def asset_runs(airflow: AirflowClient, dag_id: str, *, after: DagRun) -> list[DagRun]:
    """Return the DAG's runs that Airflow started since `after` updated an asset, newest first.

    A run that was queued before the update follows an earlier update of the asset.
    """
    [update, *_] = _asset_tasks(airflow, dag_id, after=after)
    updated_at = update.ended_at or after.queued_at
    return [
        run
        for run in airflow.latest_runs(dag_id)
        if run.run_type == "asset_triggered" and run.run_id != after.run_id
        if run.queued_at and updated_at and run.queued_at >= updated_at
    ]


def _asset_tasks(airflow: AirflowClient, dag_id: str, *, after: DagRun) -> list[TaskState]:
    """Return the task of `after` that updated an asset that starts the DAG, if there is one."""
    task_id = _ASSET_TASKS.get((after.dag_id, dag_id))
    tasks = airflow.task_states(after)
    return [task for task in tasks if task.task_id == task_id and task.state == "success"]


def _run_for_pending_work(
    airflow: AirflowClient, dag_id: str, *, has_pending_work: Callable[[], bool]
) -> DagRun | None:
    latest = airflow.latest_runs(dag_id, limit=1)
    if latest and not latest[0].has_ended:
        return latest[0]
    if has_pending_work() or (latest and latest[0].state == "failed"):
        return airflow.trigger(dag_id)
    return None

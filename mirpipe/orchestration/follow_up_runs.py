"""Find or start the next DAG run of the main job, and wait until it starts."""

from collections.abc import Callable

from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun
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
    task_id = _ASSET_TASKS.get((after.dag_id, dag_id))
    tasks = airflow.task_states(after)
    return any(task.task_id == task_id and task.state == "success" for task in tasks)


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

    def is_asset_run(run: DagRun) -> bool:
        is_later = run.queued_at and after.queued_at and run.queued_at >= after.queued_at
        is_new = run.run_id != after.run_id and bool(is_later)
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

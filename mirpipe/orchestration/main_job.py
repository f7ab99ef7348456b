"""The main job: run ingest_library, then run evaluate_retrieval and generate_music if needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import evaluation_planning, generation_planning
from mirpipe.orchestration.airflow_rest_client import AirflowClient
from mirpipe.orchestration.dag_run_progress import failure_lines, show_until_ended
from mirpipe.orchestration.follow_up_runs import follow_up_run, updated_asset, wait_for_asset_run
from mirpipe.orchestration.polling import wait_until
from mirpipe.settings import Settings

INGEST, EVALUATE, GENERATE = "ingest_library", "evaluate_retrieval", "generate_music"
MAINTENANCE = "maintenance"
"""DAG that runs only on its schedule."""
PARSE_SECONDS = 900


@dataclass(frozen=True)
class JobResult:
    """Result of the main job."""

    has_worked: bool
    """Whether a DAG ran after ingest. False means that nothing was new and no work was pending."""
    failures: list[str]
    """One line per failed task, with the path of its log file."""


def fail_interrupted_runs(airflow: AirflowClient, *, before: datetime) -> None:
    """Mark as failed every unfinished DAG run that was queued before the time `before`.

    Such runs remain if Airflow was killed, and a restarted Airflow would need minutes to notice
    them. No work is lost, because the next run does all pending work.
    """
    for dag_id in (INGEST, EVALUATE, GENERATE, MAINTENANCE):
        if airflow.last_parsed_at(dag_id) is None:
            continue
        for run in airflow.latest_runs(dag_id):
            if not run.has_ended and run.queued_at is not None and run.queued_at < before:
                airflow.mark_failed(run, note="interrupted: Airflow was stopped during this run")


def wait_until_parsed(
    airflow: AirflowClient, *, since: datetime, require_alive: Callable[[], None]
) -> None:
    """Wait until Airflow has parsed every DAG file after the time `since`.

    Raises MirpipeError if Airflow cannot import a DAG file or needs more than 900 s.
    """

    def are_parsed() -> bool:
        if errors := airflow.import_errors():
            raise MirpipeError("Airflow cannot import a DAG file:\n" + "\n".join(errors))
        times = [
            airflow.last_parsed_at(dag_id) for dag_id in (INGEST, EVALUATE, GENERATE, MAINTENANCE)
        ]
        return all(time is not None and time >= since for time in times)

    wait_until(
        are_parsed,
        seconds=PARSE_SECONDS,
        problem="Airflow did not read the DAG files",
        require_alive=require_alive,
    )


def follow_up_dags(settings: Settings) -> dict[str, Callable[[], bool]]:
    """Return the DAGs that follow ingest, in order, each with a check for pending work.

    The DAG generate_music is left out if no captioner is configured.
    """
    checks: dict[str, Callable[[], bool]] = {EVALUATE: evaluation_planning.has_pending_work}
    if settings.captioner:
        checks[GENERATE] = generation_planning.has_pending_work
    return checks


def coverage() -> str:
    """Return how many of the usable tracks are embedded, as a sentence without a full stop."""
    from mirpipe.db import queries

    tracks = queries.embedded_tracks()
    return f"{tracks.embedded:,} of {tracks.usable:,} tracks are embedded"


def run_main_job(
    airflow: AirflowClient,
    *,
    task_logs: Path,
    follow_ups: Mapping[str, Callable[[], bool]],
    describe_coverage: Callable[[], str],
    show: Callable[[str], None],
    require_alive: Callable[[], None],
) -> JobResult:
    """Run ingest and the DAGs that follow it, and return when all runs have ended.

    `follow_ups` contains the DAGs that follow ingest, in order. Each DAG has a check for pending
    work, which also finds work that no asset update announces: the work after an interrupted run,
    or for a new encoder. A DAG that has left out tracks runs again until it has left out none.
    Before each of these runs, the result of `describe_coverage` is shown. `task_logs` is Airflow's
    log folder. `show` prints a line. `require_alive` raises an error if Airflow has stopped.
    """
    for dag_id in (MAINTENANCE, *reversed([*follow_ups]), INGEST):
        airflow.unpause(dag_id)
    latest = show_until_ended(
        airflow, airflow.trigger(INGEST), show=show, require_alive=require_alive
    )
    runs = [latest]
    for dag_id, has_pending_work in follow_ups.items():
        follow_up = follow_up_run(
            airflow,
            dag_id,
            after=latest,
            has_pending_work=has_pending_work,
            show=show,
            require_alive=require_alive,
        )
        while follow_up is not None:
            latest = show_until_ended(airflow, follow_up, show=show, require_alive=require_alive)
            runs.append(latest)
            follow_up = None
            if updated_asset(airflow, dag_id, after=latest):
                show(f"{describe_coverage()}; the next run continues")
                follow_up = wait_for_asset_run(
                    airflow, dag_id, after=latest, show=show, require_alive=require_alive
                )
    failures = [line for run in runs for line in failure_lines(airflow, run, task_logs=task_logs)]
    return JobResult(has_worked=len(runs) > 1, failures=failures)

"""The main job as Airflow runs it: ingest, and then, where anything is to be done, evaluate."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.rest import AirflowClient, DagRun, TaskState, wait_for

INGEST, EVALUATE = "ingest_library", "evaluate_retrieval"
PARSE_SECONDS = 120
POLL_SECONDS = 0.5
_WORTH_SAYING = {
    "running": "runs",
    "success": "done",
    "failed": "failed",
    "up_for_retry": "failed, will be tried again",
    "skipped": "skipped",
}

Say = Callable[[str], None]
Check = Callable[[], None]


@dataclass(frozen=True)
class JobResult:
    """What came of the main job."""

    worked: bool
    """Anything was new or left over; False: no work was done."""
    failures: list[str]
    """The tasks that failed, each with its log."""


def abandon_interrupted(airflow: AirflowClient, *, before: datetime) -> None:
    """Ends the runs that an Airflow which was killed left unfinished.

    Waiting for Airflow to find out by itself would take minutes; nothing is lost, since the next
    run does whatever is missing.
    """
    for dag_id in (INGEST, EVALUATE):
        if airflow.parsed_at(dag_id) is None:
            continue
        for run in airflow.runs(dag_id):
            if not run.ended and run.queued_at is not None and run.queued_at < before:
                airflow.fail(run, note="interrupted: the Airflow that ran it has ended")


def wait_until_parsed(airflow: AirflowClient, *, since: datetime, alive: Check) -> None:
    """Waits until Airflow has read both DAGs as they are now."""

    def parsed() -> bool:
        if errors := airflow.import_errors():
            raise MirpipeError("Airflow cannot read a DAG:\n" + "\n".join(errors))
        times = [airflow.parsed_at(dag_id) for dag_id in (INGEST, EVALUATE)]
        return all(time is not None and time >= since for time in times)

    wait_for(parsed, seconds=PARSE_SECONDS, what="reading the DAGs", alive=alive)


def run_main_job(
    airflow: AirflowClient,
    *,
    task_logs: Path,
    pending: Callable[[], bool],
    say: Say,
    alive: Check,
) -> JobResult:
    """Runs ingest and what follows from it to their end.

    `pending` says whether the database knows of work that no event announces, as after a run that
    was interrupted or with a new encoder.
    """
    for dag_id in (EVALUATE, INGEST):
        airflow.unpause(dag_id)
    asked = datetime.now(UTC)
    runs = [_follow(airflow, airflow.trigger(INGEST), say=say, alive=alive)]
    caused = (
        _caused_run(airflow, since=asked, say=say, alive=alive)
        if _announced(airflow, runs[0])
        else _left_over_run(airflow, pending=pending)
    )
    if caused is not None:
        runs.append(_follow(airflow, caused, say=say, alive=alive))
    failures = [line for run in runs for line in _failures(airflow, run, task_logs)]
    return JobResult(worked=caused is not None, failures=failures)


def _announced(airflow: AirflowClient, ingest: DagRun) -> bool:
    return any(t.task_id == "announce" and t.state == "success" for t in airflow.tasks(ingest))


def _caused_run(airflow: AirflowClient, *, since: datetime, say: Say, alive: Check) -> DagRun:
    """The run that the scheduler makes of the announcement, once no other is under way."""

    def is_caused(run: DagRun) -> bool:
        late = run.queued_at is not None and run.queued_at >= since
        return run.kind == "asset_triggered" and late

    def caused() -> list[DagRun]:
        return list(filter(is_caused, airflow.runs(EVALUATE)))

    for other in airflow.runs(EVALUATE):
        if not (other.ended or is_caused(other)):
            _follow(airflow, other, say=say, alive=alive)
    wait_for(lambda: bool(caused()), seconds=60, what=f"the start of {EVALUATE}", alive=alive)
    return caused()[0]


def _left_over_run(airflow: AirflowClient, *, pending: Callable[[], bool]) -> DagRun | None:
    """The run that is under way, or a new one where work is left over, or None."""
    latest = airflow.runs(EVALUATE, limit=1)
    if latest and not latest[0].ended:
        return latest[0]
    if pending() or (latest and latest[0].state == "failed"):
        return airflow.trigger(EVALUATE)
    return None


def _follow(airflow: AirflowClient, run: DagRun, *, say: Say, alive: Check) -> DagRun:
    """Waits for the run to end and says what becomes of each of its tasks."""
    told: dict[tuple[str, int], str | None] = {}
    while True:
        run = airflow.run(run)
        for task in airflow.tasks(run):
            key = (task.task_id, task.map_index)
            if task.state != told.get(key) and task.state in _WORTH_SAYING:
                say(f"{run.dag_id}: {_name(task)} {_WORTH_SAYING[task.state]}")
            told[key] = task.state
        if run.ended:
            return run
        alive()
        time.sleep(POLL_SECONDS)


def _name(task: TaskState) -> str:
    if task.map_index < 0:
        return task.task_id
    return f"{task.task_id} {task.map_index + 1}" + (f" ({task.label})" if task.label else "")


def _failures(airflow: AirflowClient, run: DagRun, task_logs: Path) -> list[str]:
    failed = [task for task in airflow.tasks(run) if task.state == "failed"]
    lines = []
    for task in failed:
        if task.task_id == "anything_failed" and len(failed) > 1:
            continue
        log = (
            task_logs / f"dag_id={run.dag_id}" / f"run_id={run.run_id}" / f"task_id={task.task_id}"
        )
        if task.map_index >= 0:
            log /= f"map_index={task.map_index}"
        lines.append(f"{run.dag_id}: {_name(task)} failed: {log}/attempt={task.try_number}.log")
    return lines or ([f"{run.dag_id} failed: {run.run_id}"] if run.state == "failed" else [])

"""The main job as Airflow runs it: ingest, and then, where anything is to be done, the rest."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import generation_tasks, ingest_and_embed_tasks
from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun, TaskState, wait_for
from mirpipe.settings import Settings

INGEST, EVALUATE, GENERATE = "ingest_library", "evaluate_retrieval", "generate_music"
_ANNOUNCES = {INGEST: "announce", EVALUATE: "report"}
"""By DAG, the task whose success makes the scheduler run the next one."""
PARSE_SECONDS = 120
POLL_SECONDS = 1.0
"""Asking costs the API server tens of milliseconds of a processor that the tasks want."""
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
    for dag_id in (INGEST, EVALUATE, GENERATE):
        if airflow.parsed_at(dag_id) is None:
            continue
        for run in airflow.runs(dag_id):
            if not run.ended and run.queued_at is not None and run.queued_at < before:
                airflow.fail(run, note="interrupted: the Airflow that ran it has ended")


def wait_until_parsed(airflow: AirflowClient, *, since: datetime, alive: Check) -> None:
    """Waits until Airflow has read the DAGs as they are now."""

    def parsed() -> bool:
        if errors := airflow.import_errors():
            raise MirpipeError("Airflow cannot read a DAG:\n" + "\n".join(errors))
        times = [airflow.parsed_at(dag_id) for dag_id in (INGEST, EVALUATE, GENERATE)]
        return all(time is not None and time >= since for time in times)

    wait_for(parsed, seconds=PARSE_SECONDS, what="reading the DAGs", alive=alive)


def follow_ups(settings: Settings) -> dict[str, Callable[[], bool]]:
    """The DAGs that follow on ingest, each with what says whether work is left over for it.

    Generation is left out where the settings ask for none.
    """
    wanted: dict[str, Callable[[], bool]] = {EVALUATE: ingest_and_embed_tasks.pending}
    if settings.captioner:
        wanted[GENERATE] = generation_tasks.pending
    return wanted


def run_main_job(
    airflow: AirflowClient,
    *,
    task_logs: Path,
    pending: Mapping[str, Callable[[], bool]],
    say: Say,
    alive: Check,
) -> JobResult:
    """Runs ingest and what follows from it to their end.

    `pending` names the DAGs that follow, in order; each says whether the database knows of work
    that no event announces, as after a run that was interrupted or with a new encoder.
    """
    for dag_id in (*reversed([*pending]), INGEST):
        airflow.unpause(dag_id)
    asked = datetime.now(UTC)
    runs = [_follow(airflow, airflow.trigger(INGEST), say=say, alive=alive)]
    announced = runs[0]
    for dag_id, is_pending in pending.items():
        caused = (
            _caused_run(airflow, dag_id, since=asked, say=say, alive=alive)
            if _announced(airflow, announced)
            else _left_over_run(airflow, dag_id, pending=is_pending)
        )
        if caused is not None:
            announced = _follow(airflow, caused, say=say, alive=alive)
            runs.append(announced)
    failures = [line for run in runs for line in _failures(airflow, run, task_logs)]
    return JobResult(worked=len(runs) > 1, failures=failures)


def _announced(airflow: AirflowClient, run: DagRun) -> bool:
    task = _ANNOUNCES.get(run.dag_id)
    return any(t.task_id == task and t.state == "success" for t in airflow.tasks(run))


def _caused_run(
    airflow: AirflowClient, dag_id: str, *, since: datetime, say: Say, alive: Check
) -> DagRun:
    """The run that the scheduler makes of the announcement, once no other is under way."""

    def is_caused(run: DagRun) -> bool:
        late = run.queued_at is not None and run.queued_at >= since
        return run.kind == "asset_triggered" and late

    def caused() -> list[DagRun]:
        return list(filter(is_caused, airflow.runs(dag_id)))

    for other in airflow.runs(dag_id):
        if not (other.ended or is_caused(other)):
            _follow(airflow, other, say=say, alive=alive)
    wait_for(lambda: bool(caused()), seconds=60, what=f"the start of {dag_id}", alive=alive)
    return caused()[0]


def _left_over_run(
    airflow: AirflowClient, dag_id: str, *, pending: Callable[[], bool]
) -> DagRun | None:
    """The run that is under way, or a new one where work is left over, or None."""
    latest = airflow.runs(dag_id, limit=1)
    if latest and not latest[0].ended:
        return latest[0]
    if pending() or (latest and latest[0].state == "failed"):
        return airflow.trigger(dag_id)
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

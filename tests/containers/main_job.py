"""Runs the main job in a stack through Airflow's API, while a test may disturb it."""

import json
from collections.abc import Callable
from statistics import fmean

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.airflow_rest_client import DagRun
from mirpipe.orchestration.main_job import EVALUATE, GENERATE, INGEST
from tests.containers.stack import Stack
from tests.support.waiting import eventually

JOB_SECONDS = 1800
EVERY = 3
"""Seconds between two questions to Airflow."""
DAGS = (INGEST, EVALUATE, GENERATE)
RESULTS = (
    *("embedding", "melody", "track_feature", "track_score", "neighbour", "caption"),
    *("caption_embedding", "generation", "pair_score"),
)
"""Tables that the stages of the main job write. Some stay empty without the model libraries."""


def start_main_job(stack: Stack) -> None:
    """Start ingest, which the other DAGs follow, once Airflow has read all DAG files."""
    eventually(
        lambda: all(stack.airflow.last_parsed_at(dag_id) for dag_id in DAGS),
        seconds=600,
        every=EVERY,
    )
    assert stack.airflow.import_errors() == []
    stack.airflow.trigger(INGEST)


def wait_for_main_job(stack: Stack) -> None:
    """Wait until every DAG has run and no run is left, even if servers are down in the meantime."""
    eventually(lambda: have_ended(stack), seconds=JOB_SECONDS, every=EVERY)


def have_ended(stack: Stack) -> bool:
    """Return whether each DAG has run and no run is left. False if a server does not answer."""
    return _answer(lambda: _have_run(stack))


def run_again(stack: Stack) -> None:
    """Run the DAGs one after the other, as their schedules do. Wait until each run has ended."""
    for dag_id in DAGS:
        _wait_for_run(stack, stack.airflow.trigger(dag_id))


def unsuccessful_tasks(stack: Stack) -> list[str]:
    """Return each task of all runs whose last attempt has not succeeded, with its state."""
    return [
        f"{run.dag_id}.{task.task_id}[{task.map_index}]: {task.state}"
        for dag_id in DAGS
        for run in stack.airflow.latest_runs(dag_id)
        for task in stack.airflow.task_states(run)
        if task.state not in ("success", "skipped")
    ]


def pending_work(stack: Stack) -> list[object]:
    """Return what `mirpipe status` lists as pending."""
    pending: list[object] = json.loads(stack.run("worker", "mirpipe", "status", "--json"))[
        "pending"
    ]
    return pending


def digest(stack: Stack) -> str:
    """Return the hash of all results."""
    return stack.run("worker", "mirpipe", "verify", "--digest").strip()


def wait_until_stored(stack: Stack, table: str, rows: int) -> None:
    """Wait until the table contains at least so many rows."""
    sql = f"SELECT count(*) FROM mirpipe.{table}"
    eventually(lambda: _answer(lambda: int(stack.query(sql)) >= rows), seconds=JOB_SECONDS, every=1)


def stored_rows(stack: Stack) -> dict[str, int]:
    """Return the number of rows of each table in RESULTS."""
    counts = ", ".join(f"'{table}', (SELECT count(*) FROM mirpipe.{table})" for table in RESULTS)
    rows: dict[str, int] = json.loads(stack.query(f"SELECT json_build_object({counts})"))
    return rows


def wait_for_progress(stack: Stack, complete: dict[str, int], share: float) -> None:
    """Wait until the tables contain this share of their `complete` rows, on average."""

    def is_reached() -> bool:
        rows = stored_rows(stack)
        shares = [min(1.0, rows[table] / count) for table, count in complete.items() if count]
        return fmean(shares) >= share

    eventually(lambda: _answer(is_reached), seconds=JOB_SECONDS, every=1)


def _wait_for_run(stack: Stack, run: DagRun) -> None:
    eventually(
        lambda: _answer(lambda: stack.airflow.refresh(run).has_ended),
        seconds=JOB_SECONDS,
        every=EVERY,
    )


def _have_run(stack: Stack) -> bool:
    runs = [stack.airflow.latest_runs(dag_id) for dag_id in DAGS]
    return all(runs) and all(run.has_ended for of_dag in runs for run in of_dag)


def _answer(question: Callable[[], bool]) -> bool:
    """Return the answer, or False if a server does not answer."""
    try:
        return question()
    except (MirpipeError, AssertionError):
        return False

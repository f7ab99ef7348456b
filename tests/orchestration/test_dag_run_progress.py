"""The progress of a DAG run: which changes are shown, and how often Airflow is asked."""

from dataclasses import replace

import pytest

from mirpipe.orchestration import dag_run_progress
from mirpipe.orchestration.airflow_rest_client import DagRun, TaskState
from mirpipe.orchestration.dag_run_progress import show_until_ended

RUN = DagRun("evaluate_retrieval", "manual__1", "running", "manual", None)


class FakeAirflow:
    """Returns these states of the task `embed`, one per call, and then the last one again.

    The run ends after a number of calls for the run.
    """

    def __init__(self, *states: str | None, refreshes: int) -> None:
        self._states = [*states]
        self._refreshes = refreshes
        self.calls: list[str] = []

    def task_states(self, _run: DagRun) -> list[TaskState]:
        self.calls.append("tasks")
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return [TaskState("embed", -1, "", state, 1)]

    def refresh(self, run: DagRun) -> DagRun:
        self.calls.append("run")
        has_ended = self.calls.count("run") >= self._refreshes
        return replace(run, state="failed" if has_ended else "running")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dag_run_progress, "POLL_SECONDS", 0)


def progress(airflow: FakeAirflow) -> list[str]:
    lines: list[str] = []
    ended = show_until_ended(
        airflow,  # type: ignore[arg-type]  # replaces the client
        RUN,
        show=lines.append,
        require_alive=lambda: None,
    )
    assert ended.has_ended
    return [line.removeprefix("evaluate_retrieval: ") for line in lines]


def test_the_run_is_only_asked_at_first_and_when_its_tasks_have_ended() -> None:
    airflow = FakeAirflow(None, "queued", "running", "running", "success", refreshes=2)
    assert progress(airflow) == ["embed runs", "embed done"]
    assert airflow.calls == ["tasks", "run", *["tasks"] * 4, "run", "tasks"]


def test_a_run_that_ends_while_a_task_waits_is_noticed_within_ten_calls() -> None:
    airflow = FakeAirflow("running", *["up_for_retry"] * 10, "failed", refreshes=2)
    expected = ["embed runs", "embed failed, will be tried again", "embed failed"]
    assert progress(airflow) == expected
    assert airflow.calls == ["tasks", "run", *["tasks"] * 10, "run", "tasks"]

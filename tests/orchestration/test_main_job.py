"""The DAG runs that the main job starts and waits for, tested with a fake Airflow."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirpipe.orchestration import follow_up_runs, main_job
from mirpipe.orchestration.airflow_rest_client import DagRun, TaskState
from mirpipe.orchestration.main_job import EVALUATE, GENERATE, INGEST, MAINTENANCE, JobResult
from mirpipe.settings import Settings

LOGS = Path("/logs")
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


class FakeAirflow:
    """A fake Airflow client. Each run ends as soon as its state is read.

    If `announces` is true, ingest updates its asset. If `reports` is true, the evaluation updates
    the asset that starts the generation. The first `leaving_out` evaluations leave out tracks.
    `failing` contains the DAGs whose runs fail.
    """

    def __init__(
        self,
        *,
        announces: bool = False,
        reports: bool = False,
        leaving_out: int = 0,
        failing: tuple[str, ...] = (),
    ) -> None:
        self.announces = announces
        self.leaving_out = leaving_out
        self.reports = reports
        self.failing = failing
        self.runs: list[DagRun] = []
        self.unpaused: list[str] = []
        self.notes: dict[str, str] = {}
        self.report_ended_at: datetime | None = None

    def add(
        self, dag_id: str, run_type: str, state: str, queued_at: datetime | None = None
    ) -> DagRun:
        run_id = f"{run_type} {len(self.runs)}"
        run = DagRun(dag_id, run_id, state, run_type, queued_at or datetime.now(UTC))
        self.runs.append(run)
        return run

    def _replace(self, run: DagRun, state: str) -> DagRun:
        ended = DagRun(run.dag_id, run.run_id, state, run.run_type, run.queued_at)
        self.runs[[other.run_id for other in self.runs].index(run.run_id)] = ended
        return ended

    def last_parsed_at(self, _dag_id: str) -> datetime | None:
        return LONG_AGO

    def unpause(self, dag_id: str) -> None:
        self.unpaused.append(dag_id)

    def trigger(self, dag_id: str) -> DagRun:
        return self.add(dag_id, "manual", "queued")

    def latest_runs(self, dag_id: str, *, limit: int = 20) -> list[DagRun]:
        return [run for run in reversed(self.runs) if run.dag_id == dag_id][:limit]

    def refresh(self, run: DagRun) -> DagRun:
        if run.dag_id == INGEST and self.announces:
            self.add(EVALUATE, "asset_triggered", "running")
        if run.dag_id == EVALUATE and self.reports:
            self.add(GENERATE, "asset_triggered", "running")
        if self._leaves_out(run):
            self.add(EVALUATE, "asset_triggered", "running")
        return self._replace(run, "failed" if run.dag_id in self.failing else "success")

    def _leaves_out(self, run: DagRun) -> bool:
        evaluations = [each.run_id for each in self.runs if each.dag_id == EVALUATE]
        return run.run_id in evaluations[: self.leaving_out]

    def mark_failed(self, run: DagRun, *, note: str) -> None:
        self.notes[run.run_id] = note
        self._replace(run, "failed")

    def task_states(self, run: DagRun) -> list[TaskState]:
        if run.dag_id == INGEST:
            state = "success" if self.announces else "skipped"
            return [TaskState("announce", -1, "", state, 1)]
        if run.dag_id in self.failing:
            return [
                TaskState("embed", 1, "signal, 2 tracks", "failed", 3),
                TaskState("report", -1, "", "skipped", 1),
                TaskState("complete", -1, "", "upstream_failed", 1),
            ]
        report = "success" if self.reports and run.dag_id == EVALUATE else "skipped"
        return [
            TaskState("embed", 0, "signal, 2 tracks", "success", 1),
            TaskState("report", -1, "", report, 1, self.report_ended_at),
            TaskState(
                "announce_remaining", -1, "", "success" if self._leaves_out(run) else "skipped", 1
            ),
        ]


def run_job(
    airflow: FakeAirflow,
    *,
    evaluation_pending: bool = False,
    generation_pending: bool = False,
    show: Callable[[str], None] = lambda _line: None,
) -> JobResult:
    return main_job.run_main_job(
        airflow,  # type: ignore[arg-type]  # replaces the client
        task_logs=LOGS,
        follow_ups={EVALUATE: lambda: evaluation_pending, GENERATE: lambda: generation_pending},
        describe_coverage=lambda: "3 of 9 tracks are embedded",
        show=show,
        require_alive=lambda: None,
    )


def started(airflow: FakeAirflow) -> list[tuple[str, str]]:
    return [(run.dag_id, run.run_type) for run in airflow.runs]


def test_the_run_that_ingest_causes_is_waited_for_and_not_started_again() -> None:
    airflow = FakeAirflow(announces=True)
    assert run_job(airflow) == JobResult(has_worked=True, failures=[])
    assert started(airflow) == [(INGEST, "manual"), (EVALUATE, "asset_triggered")]
    assert all(run.has_ended for run in airflow.runs)
    assert set(airflow.unpaused) == {INGEST, EVALUATE, GENERATE, MAINTENANCE}


def test_a_run_that_follows_an_earlier_update_is_not_mistaken_for_the_next_one() -> None:
    airflow = FakeAirflow(reports=True)
    evaluation = airflow.add(EVALUATE, "asset_triggered", "success", LONG_AGO)
    airflow.add(GENERATE, "asset_triggered", "success", LONG_AGO + timedelta(hours=1))
    airflow.report_ended_at = LONG_AGO + timedelta(hours=2)
    assert asset_runs(airflow, evaluation) == []
    following = airflow.add(GENERATE, "asset_triggered", "queued", LONG_AGO + timedelta(hours=3))
    assert asset_runs(airflow, evaluation) == [following]


def asset_runs(airflow: FakeAirflow, after: DagRun) -> list[DagRun]:
    return follow_up_runs.asset_runs(airflow, GENERATE, after=after)  # type: ignore[arg-type]


def test_nothing_is_evaluated_if_nothing_is_new() -> None:
    airflow = FakeAirflow()
    airflow.add(EVALUATE, "asset_triggered", "success", LONG_AGO)
    assert run_job(airflow) == JobResult(has_worked=False, failures=[])
    assert started(airflow)[1:] == [(INGEST, "manual")]


@pytest.mark.parametrize(("last_state", "pending"), [("failed", False), ("success", True)])
def test_an_evaluation_is_started_if_work_is_pending(last_state: str, pending: bool) -> None:
    airflow = FakeAirflow()
    airflow.add(EVALUATE, "asset_triggered", last_state, LONG_AGO)
    assert run_job(airflow, evaluation_pending=pending).has_worked
    assert started(airflow)[1:] == [(INGEST, "manual"), (EVALUATE, "manual")]


def test_a_running_evaluation_is_waited_for() -> None:
    airflow = FakeAirflow()
    airflow.add(EVALUATE, "scheduled", "running")
    assert run_job(airflow, evaluation_pending=True).has_worked
    assert started(airflow) == [(EVALUATE, "scheduled"), (INGEST, "manual")]


def test_a_failed_task_is_listed_with_its_log() -> None:
    airflow = FakeAirflow(announces=True, failing=(EVALUATE,))
    (failure,) = run_job(airflow).failures
    run_id = airflow.runs[-1].run_id
    assert failure == (
        "evaluate_retrieval: embed 2 (signal, 2 tracks) failed: /logs/dag_id=evaluate_retrieval/"
        f"run_id={run_id}/task_id=embed/map_index=1/attempt=3.log"
    )


def test_only_the_unfinished_runs_of_a_killed_airflow_are_marked_as_failed() -> None:
    airflow = FakeAirflow()
    unfinished = [
        airflow.add(INGEST, "manual", "queued", LONG_AGO),
        airflow.add(EVALUATE, "asset_triggered", "running", LONG_AGO),
    ]
    airflow.add(EVALUATE, "asset_triggered", "success", LONG_AGO)
    new = airflow.add(INGEST, "scheduled", "queued")
    before = datetime.now(UTC) - timedelta(minutes=1)
    main_job.fail_interrupted_runs(
        airflow,  # type: ignore[arg-type]  # replaces the client
        before=before,
    )
    assert set(airflow.notes) == {run.run_id for run in unfinished}
    assert airflow.runs[-1] == new


def test_a_running_evaluation_ends_before_the_run_that_ingest_causes() -> None:
    airflow = FakeAirflow(announces=True)
    nightly = airflow.add(EVALUATE, "scheduled", "running", LONG_AGO)
    assert run_job(airflow).has_worked
    assert airflow.runs[0].run_id == nightly.run_id
    assert all(run.has_ended for run in airflow.runs)


def test_the_generation_that_a_report_causes_is_waited_for() -> None:
    airflow = FakeAirflow(announces=True, reports=True)
    assert run_job(airflow).has_worked
    assert started(airflow)[1:] == [
        (EVALUATE, "asset_triggered"),
        (GENERATE, "asset_triggered"),
    ]
    assert all(run.has_ended for run in airflow.runs)


def test_pending_clips_are_generated_without_an_evaluation() -> None:
    airflow = FakeAirflow()
    assert run_job(airflow, generation_pending=True).has_worked
    assert started(airflow) == [(INGEST, "manual"), (GENERATE, "manual")]


def test_nothing_is_generated_without_a_captioner() -> None:
    assert list(main_job.follow_up_dags(Settings(captioner=""))) == [EVALUATE]
    assert list(main_job.follow_up_dags(Settings())) == [EVALUATE, GENERATE]


@pytest.mark.parametrize("announces", [True, False])
def test_the_evaluation_runs_until_it_leaves_out_no_tracks(announces: bool) -> None:
    airflow, shown = FakeAirflow(announces=announces, reports=True, leaving_out=2), list[str]()
    run_job(airflow, evaluation_pending=True, show=shown.append)
    first = "asset_triggered" if announces else "manual"
    evaluations = [kind for dag_id, kind in started(airflow) if dag_id == EVALUATE]
    assert evaluations == [first, "asset_triggered", "asset_triggered"]
    assert all(run.has_ended for run in airflow.runs if run.dag_id == EVALUATE)
    assert shown.count("3 of 9 tracks are embedded; the next run continues") == 2
    last_generation = [run for run in airflow.runs if run.dag_id == GENERATE][-1]
    assert last_generation.has_ended

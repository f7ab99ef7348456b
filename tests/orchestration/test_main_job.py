"""Which runs the main job asks for and waits for, against an Airflow that plays a part."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirpipe.orchestration import main_job
from mirpipe.orchestration.airflow_rest_client import DagRun, TaskState
from mirpipe.orchestration.main_job import EVALUATE, GENERATE, INGEST, JobResult
from mirpipe.settings import Settings

LOGS = Path("/logs")
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


class FakeAirflow:
    """Runs end as soon as they are looked at; ingest announces where it is told to."""

    def __init__(
        self, *, announces: bool = False, reports: bool = False, failing: tuple[str, ...] = ()
    ) -> None:
        self.announces = announces
        self.reports = reports
        self.failing = failing
        self.all: list[DagRun] = []
        self.unpaused: list[str] = []
        self.notes: dict[str, str] = {}

    def add(self, dag_id: str, kind: str, state: str, queued_at: datetime | None = None) -> DagRun:
        run = DagRun(dag_id, f"{kind} {len(self.all)}", state, kind, queued_at or datetime.now(UTC))
        self.all.append(run)
        return run

    def _replace(self, run: DagRun, state: str) -> DagRun:
        ended = DagRun(run.dag_id, run.run_id, state, run.kind, run.queued_at)
        self.all[[one.run_id for one in self.all].index(run.run_id)] = ended
        return ended

    def parsed_at(self, _dag_id: str) -> datetime | None:
        return LONG_AGO

    def unpause(self, dag_id: str) -> None:
        self.unpaused.append(dag_id)

    def trigger(self, dag_id: str) -> DagRun:
        return self.add(dag_id, "manual", "queued")

    def runs(self, dag_id: str, *, limit: int = 20) -> list[DagRun]:
        return [run for run in reversed(self.all) if run.dag_id == dag_id][:limit]

    def run(self, run: DagRun) -> DagRun:
        if run.dag_id == INGEST and self.announces:
            self.add(EVALUATE, "asset_triggered", "running")
        if run.dag_id == EVALUATE and self.reports:
            self.add(GENERATE, "asset_triggered", "running")
        return self._replace(run, "failed" if run.dag_id in self.failing else "success")

    def fail(self, run: DagRun, *, note: str) -> None:
        self.notes[run.run_id] = note
        self._replace(run, "failed")

    def tasks(self, run: DagRun) -> list[TaskState]:
        if run.dag_id == INGEST:
            state = "success" if self.announces else "skipped"
            return [TaskState("announce", -1, "", state, 1)]
        if run.dag_id in self.failing:
            return [
                TaskState("embed", 1, "signal, 2 tracks", "failed", 3),
                TaskState("report", -1, "", "skipped", 1),
                TaskState("anything_failed", -1, "", "failed", 1),
            ]
        report = "success" if self.reports and run.dag_id == EVALUATE else "skipped"
        return [
            TaskState("embed", 0, "signal, 2 tracks", "success", 1),
            TaskState("report", -1, "", report, 1),
        ]


def run_job(airflow: FakeAirflow, *, pending: bool = False, ungenerated: bool = False) -> JobResult:
    return main_job.run_main_job(
        airflow,  # type: ignore[arg-type]  # plays the client's part
        task_logs=LOGS,
        pending={EVALUATE: lambda: pending, GENERATE: lambda: ungenerated},
        say=lambda _line: None,
        alive=lambda: None,
    )


def asked_for(airflow: FakeAirflow) -> list[tuple[str, str]]:
    return [(run.dag_id, run.kind) for run in airflow.all]


def test_what_ingest_announces_is_waited_for_and_not_asked_for_again() -> None:
    airflow = FakeAirflow(announces=True)
    assert run_job(airflow) == JobResult(worked=True, failures=[])
    assert asked_for(airflow) == [(INGEST, "manual"), (EVALUATE, "asset_triggered")]
    assert all(run.ended for run in airflow.all)
    assert set(airflow.unpaused) == {INGEST, EVALUATE, GENERATE}


def test_where_nothing_is_new_nothing_is_evaluated() -> None:
    airflow = FakeAirflow()
    airflow.add(EVALUATE, "asset_triggered", "success", LONG_AGO)
    assert run_job(airflow) == JobResult(worked=False, failures=[])
    assert asked_for(airflow)[1:] == [(INGEST, "manual")]


@pytest.mark.parametrize(("last", "pending"), [("failed", False), ("success", True)])
def test_work_that_is_left_over_is_asked_for(last: str, pending: bool) -> None:
    airflow = FakeAirflow()
    airflow.add(EVALUATE, "asset_triggered", last, LONG_AGO)
    assert run_job(airflow, pending=pending).worked
    assert asked_for(airflow)[1:] == [(INGEST, "manual"), (EVALUATE, "manual")]


def test_an_evaluation_under_way_is_waited_for() -> None:
    airflow = FakeAirflow()
    airflow.add(EVALUATE, "scheduled", "running")
    assert run_job(airflow, pending=True).worked
    assert asked_for(airflow) == [(EVALUATE, "scheduled"), (INGEST, "manual")]


def test_a_failed_task_is_named_with_its_log() -> None:
    airflow = FakeAirflow(announces=True, failing=(EVALUATE,))
    (failure,) = run_job(airflow).failures
    run_id = airflow.all[-1].run_id
    assert failure == (
        "evaluate_retrieval: embed 2 (signal, 2 tracks) failed: /logs/dag_id=evaluate_retrieval/"
        f"run_id={run_id}/task_id=embed/map_index=1/attempt=3.log"
    )


def test_runs_of_a_killed_airflow_are_given_up_and_no_others() -> None:
    airflow = FakeAirflow()
    old = [
        airflow.add(INGEST, "manual", "queued", LONG_AGO),
        airflow.add(EVALUATE, "asset_triggered", "running", LONG_AGO),
    ]
    airflow.add(EVALUATE, "asset_triggered", "success", LONG_AGO)
    new = airflow.add(INGEST, "scheduled", "queued")
    before = datetime.now(UTC) - timedelta(minutes=1)
    main_job.abandon_interrupted(airflow, before=before)  # type: ignore[arg-type]  # plays its part
    assert set(airflow.notes) == {run.run_id for run in old}
    assert airflow.all[-1] == new


def test_what_is_announced_waits_for_an_evaluation_under_way() -> None:
    airflow = FakeAirflow(announces=True)
    nightly = airflow.add(EVALUATE, "scheduled", "running", LONG_AGO)
    assert run_job(airflow).worked
    assert airflow.all[0].run_id == nightly.run_id
    assert all(run.ended for run in airflow.all)


def test_what_a_report_announces_is_generated_and_waited_for() -> None:
    airflow = FakeAirflow(announces=True, reports=True)
    assert run_job(airflow).worked
    assert asked_for(airflow)[1:] == [
        (EVALUATE, "asset_triggered"),
        (GENERATE, "asset_triggered"),
    ]
    assert all(run.ended for run in airflow.all)


def test_clips_that_are_left_over_are_asked_for_without_an_evaluation() -> None:
    airflow = FakeAirflow()
    assert run_job(airflow, ungenerated=True).worked
    assert asked_for(airflow) == [(INGEST, "manual"), (GENERATE, "manual")]


def test_nothing_is_generated_where_no_captioner_is_wanted() -> None:
    assert list(main_job.follow_ups(Settings(captioner=""))) == [EVALUATE]
    assert list(main_job.follow_ups(Settings())) == [EVALUATE, GENERATE]

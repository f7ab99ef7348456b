"""A stage that runs as a subprocess: its counts, its log, its number of threads, and its end."""

import logging
import multiprocessing
import os
import signal
from typing import Any

import psutil
import pytest

from mirpipe.errors import StageFailed
from mirpipe.orchestration import stage_subprocess
from mirpipe.settings import settings
from tests.orchestration.conftest import FakeStage
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


def test_counts_are_returned_and_stderr_is_logged(
    stage: FakeStage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.behave(counts={"retrieved": 4}, stderr="half\nway \N{SNOWMAN}")
    with caplog.at_level(logging.INFO, "mirpipe.stage"):
        assert stage_subprocess.run_stage("retrieve") == {"embedded": 0, "retrieved": 4}
    assert [record.message for record in caplog.records] == ["half", "way \N{SNOWMAN}"]


def test_track_ids_are_passed_before_the_options(stage: FakeStage) -> None:
    stage_subprocess.try_stage(["ingest", "--", "-odd folder"], track_ids=[3, 5])
    (call,) = stage.calls
    assert call["track_ids"] == [3, 5]
    assert call["arguments"][3:5] == ["ingest", "--json"]
    assert call["arguments"][-2:] == ["--", "-odd folder"]


def test_rejected_input_is_not_a_failure(stage: FakeStage) -> None:
    stage.behave(code=3, counts={"rejected": 2})
    assert stage_subprocess.run_stage("ingest")["rejected"] == 2


@pytest.mark.parametrize("code", [1, 2])
def test_the_error_of_a_failed_stage_names_the_stage_and_the_next_step(
    stage: FakeStage, code: int
) -> None:
    stage.behave(code=code)
    with pytest.raises(StageFailed, match=rf"mirpipe retrieve` ended with exit code {code}.*fail"):
        stage_subprocess.run_stage("retrieve")


def test_parallel_stages_share_the_cores(stage: FakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_subprocess, "available_cores", lambda: 8)
    monkeypatch.setenv("MIRPIPE_SLOTS", "3")
    settings.cache_clear()
    stage_subprocess.run_stage("retrieve")
    assert stage.calls[0]["environment"]["OMP_NUM_THREADS"] == "2"


def test_a_stage_gets_the_settings_and_no_airflow_variables(
    stage: FakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "secret")
    monkeypatch.setenv("MIRPIPE_TARGETS", "/some/targets:/others")
    settings.cache_clear()
    stage_subprocess.run_stage("retrieve")
    environment = stage.calls[0]["environment"]
    assert environment["MIRPIPE_TARGETS"] == "/some/targets:/others"
    assert not [name for name in environment if name.startswith("AIRFLOW")]


def test_a_stage_ends_when_its_task_is_killed(stage: FakeStage) -> None:
    stage.behave(sleep=60)
    task = multiprocessing.get_context("fork").Process(
        target=stage_subprocess.run_stage, args=["retrieve"]
    )
    task.start()
    eventually(lambda: stage.calls)
    os.kill(task.pid or 0, signal.SIGKILL)
    task.join()
    eventually(lambda: not psutil.pid_exists(stage.calls[0]["pid"]))


def test_a_stage_ends_when_the_worker_of_its_task_is_killed(stage: FakeStage) -> None:
    stage.behave(sleep=60)
    worker = multiprocessing.get_context("fork").Process(target=_worker)
    worker.start()
    eventually(lambda: stage.calls)
    task = psutil.Process(stage.calls[0]["pid"]).parent()
    assert task is not None
    assert task.ppid() == worker.pid
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    eventually(lambda: not psutil.pid_exists(stage.calls[0]["pid"]))
    eventually(lambda: not task.is_running())


def _worker() -> None:
    task: Any = multiprocessing.get_context("fork").Process(
        target=stage_subprocess.run_stage, args=["retrieve"]
    )
    task.start()
    task.join()


@pytest.mark.parametrize(
    ("log_format", "expected"), [("text", "too short [track 7]"), ("json", None)]
)
def test_json_lines_are_logged_at_their_own_level(
    stage: FakeStage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    log_format: str,
    expected: str | None,
) -> None:
    line = '{"time": "t", "level": "warning", "message": "too short", "stage": "x", "track": 7}'
    monkeypatch.setenv("MIRPIPE_LOG", log_format)
    settings.cache_clear()
    stage.behave(stderr=line)
    with caplog.at_level(logging.INFO, "mirpipe.stage"):
        stage_subprocess.run_stage("retrieve")
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", expected or line)


def test_a_stage_gets_the_id_of_its_dag_run(
    stage: FakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "scheduled__1")
    stage_subprocess.run_stage("retrieve")
    call = stage.calls[0]["environment"]
    assert (call["MIRPIPE_LOG"], call["MIRPIPE_RUN"]) == ("json", "scheduled__1")

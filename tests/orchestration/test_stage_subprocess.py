"""A stage as a subprocess: its counts, its log, its share of the machine, and its end."""

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


def test_counts_come_back_and_stderr_goes_to_the_log(
    stage: FakeStage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.behave(counts={"retrieved": 4}, stderr="half\nway \N{SNOWMAN}")
    with caplog.at_level(logging.INFO, "mirpipe.stage"):
        assert stage_subprocess.run("retrieve") == {"embedded": 0, "retrieved": 4}
    assert [record.message for record in caplog.records] == ["half", "way \N{SNOWMAN}"]


def test_a_stage_gets_its_track_ids_before_its_options(stage: FakeStage) -> None:
    stage_subprocess.invoke(["ingest", "--", "-odd folder"], track_ids=[3, 5])
    (seen,) = stage.seen
    assert seen["track_ids"] == [3, 5]
    assert seen["arguments"][3:5] == ["ingest", "--json"]
    assert seen["arguments"][-2:] == ["--", "-odd folder"]


def test_rejected_input_is_no_failure(stage: FakeStage) -> None:
    stage.behave(code=3, counts={"rejected": 2})
    assert stage_subprocess.run("ingest")["rejected"] == 2


@pytest.mark.parametrize("code", [1, 2])
def test_a_failed_stage_says_which_and_where_to_look(stage: FakeStage, code: int) -> None:
    stage.behave(code=code)
    with pytest.raises(StageFailed, match=rf"mirpipe retrieve` ended with exit code {code}.*fail"):
        stage_subprocess.run("retrieve")


def test_stages_side_by_side_share_the_cores(
    stage: FakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_subprocess, "cores", lambda: 8)
    monkeypatch.setenv("MIRPIPE_SLOTS", "3")
    settings.cache_clear()
    stage_subprocess.run("retrieve")
    assert stage.seen[0]["environment"]["OMP_NUM_THREADS"] == "2"


def test_a_stage_sees_our_settings_and_none_of_airflows(
    stage: FakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "secret")
    monkeypatch.setenv("MIRPIPE_TARGETS", "/some/targets:/others")
    settings.cache_clear()
    stage_subprocess.run("retrieve")
    environment = stage.seen[0]["environment"]
    assert environment["MIRPIPE_TARGETS"] == "/some/targets:/others"
    assert not [name for name in environment if name.startswith("AIRFLOW")]


def test_a_stage_does_not_outlive_its_killed_task(stage: FakeStage) -> None:
    stage.behave(sleep=60)
    task = multiprocessing.get_context("fork").Process(
        target=stage_subprocess.run, args=["retrieve"]
    )
    task.start()
    eventually(lambda: stage.seen)
    os.kill(task.pid or 0, signal.SIGKILL)
    task.join()
    eventually(lambda: not psutil.pid_exists(stage.seen[0]["pid"]))


def test_a_stage_does_not_outlive_the_killed_worker_above_its_task(stage: FakeStage) -> None:
    stage.behave(sleep=60)
    worker = multiprocessing.get_context("fork").Process(target=_worker)
    worker.start()
    eventually(lambda: stage.seen)
    task = psutil.Process(stage.seen[0]["pid"]).parent()
    assert task is not None
    assert task.ppid() == worker.pid
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    eventually(lambda: not psutil.pid_exists(stage.seen[0]["pid"]))
    eventually(lambda: not task.is_running())


def _worker() -> None:
    task: Any = multiprocessing.get_context("fork").Process(
        target=stage_subprocess.run, args=["retrieve"]
    )
    task.start()
    task.join()


@pytest.mark.parametrize(("form", "said"), [("text", "too short [track 7]"), ("json", None)])
def test_lines_for_programs_are_said_again_at_their_level(
    stage: FakeStage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    said: str | None,
) -> None:
    line = '{"time": "t", "level": "warning", "message": "too short", "stage": "x", "track": 7}'
    monkeypatch.setenv("MIRPIPE_LOG", form)
    settings.cache_clear()
    stage.behave(stderr=line)
    with caplog.at_level(logging.INFO, "mirpipe.stage"):
        stage_subprocess.run("retrieve")
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", said or line)


def test_a_stage_is_told_the_dag_run_that_it_works_for(
    stage: FakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "scheduled__1")
    stage_subprocess.run("retrieve")
    seen = stage.seen[0]["environment"]
    assert (seen["MIRPIPE_LOG"], seen["MIRPIPE_RUN"]) == ("json", "scheduled__1")

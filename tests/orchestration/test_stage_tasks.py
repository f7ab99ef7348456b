"""Tasks that run a stage: which command they run, and how they record a crash."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe import registry
from mirpipe.db import queries
from mirpipe.errors import ConfigurationError, StageCrashed, StageFailed
from mirpipe.models import device_lease
from mirpipe.orchestration import (
    crash_isolation,
    evaluation_planning,
    generation_planning,
    stage_tasks,
)
from mirpipe.orchestration.stage_subprocess import Outcome
from mirpipe.settings import settings
from tests.orchestration.conftest import FakeStage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.fake_plugins import add_fakes
from tests.support.waiting import eventually, sessions_waiting


@pytest.mark.parametrize(
    ("signal_number", "error", "retry"),
    [(signal.SIGSEGV, StageCrashed, False), (signal.SIGKILL, StageFailed, True)],
)
def test_a_track_that_crashes_its_process_is_recorded(
    fresh_database: Database,
    stage: FakeStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signal_number: int,
    error: type[Exception],
    retry: bool,
) -> None:
    tones(tmp_path / "audio", [300, 500, 700])
    ingest_folder(tmp_path / "audio", "reference")
    monkeypatch.setenv("MIRPIPE_ENCODERS", "signal")
    settings.cache_clear()
    (task,) = evaluation_planning.plan_embed().tasks
    bad_track = task["track_ids"][1]
    stage.behave(signals={bad_track: signal_number})
    with pytest.raises(error):
        stage_tasks.embed(["signal"], task["track_ids"])
    with pytest.raises(error):
        stage_tasks.analyse(task["track_ids"])
    with fresh_database.app.connect() as connection:
        rows = connection.execute(
            text("SELECT stage, track_id, reason, retry FROM mirpipe.failure ORDER BY stage")
        ).all()
    assert [tuple(row) for row in rows] == [
        ("analyse", bad_track, "crashed", retry),
        ("embed", bad_track, "crashed", retry),
    ]
    tasks = evaluation_planning.plan_embed().tasks
    assert (bad_track in {id_ for task in tasks for id_ in task["track_ids"]}) == retry
    lists = evaluation_planning.plan_analyse().tasks
    assert (bad_track in {id_ for track_ids in lists for id_ in track_ids}) == retry


def test_after_a_shared_crash_each_encoder_runs_alone_and_only_one_is_recorded(
    fresh_database: Database, stage: FakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "1")
    settings.cache_clear()
    tones(tmp_path / "audio", [300, 500])
    ingest_folder(tmp_path / "audio", "reference")
    (task,) = evaluation_planning.plan_embed().tasks
    stage.behave(encoders={"signal": signal.SIGSEGV})
    with pytest.raises(StageCrashed, match="signal"):
        stage_tasks.embed(**task)
    alone = [(call["arguments"][-1], len(call["track_ids"])) for call in stage.calls[1:]]
    assert alone == [("musicnn", 2), ("signal", 2), ("signal", 1), ("signal", 1)]
    with fresh_database.app.connect() as connection:
        recorded = connection.execute(
            text(
                "SELECT DISTINCT e.name FROM mirpipe.failure f "
                "JOIN mirpipe.encoder e USING (revision) WHERE f.reason = 'crashed'"
            )
        ).scalars()
        assert list(recorded) == ["signal"]
    assert [task["encoders"] for task in evaluation_planning.plan_embed().tasks] == [["musicnn"]]


def test_encoders_share_one_process_if_nothing_crashes(
    fresh_database: Database, stage: FakeStage
) -> None:
    assert stage_tasks.embed(["musicnn", "signal"], [1, 2]) == {"embedded": 2}
    assert len(stage.calls) == 1
    stage.behave(codes={1: 1})
    with pytest.raises(StageFailed):
        stage_tasks.embed(["musicnn", "signal"], [1, 2])
    assert len(stage.calls) == 2


@pytest.fixture
def score_task(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    """A planned task that scores three references with a fake track metric."""
    add_fakes(monkeypatch, "track_metrics")
    monkeypatch.setenv("MIRPIPE_METRICS", "tasteful")
    settings.cache_clear()
    tones(tmp_path / "audio", [300, 500, 700])
    ingest_folder(tmp_path / "audio", "reference")
    (task,) = evaluation_planning.plan_scores().tasks
    return task


def test_a_score_task_runs_the_stage_on_its_tracks(stage: FakeStage, score_task: dict) -> None:
    stage.behave(counts={"scored": 3})
    assert stage_tasks.score(**score_task)["scored"] == 3
    (call,) = stage.calls
    assert call["arguments"][-2:] == ["--metric", "tasteful"]
    assert "score" in call["arguments"]
    assert call["track_ids"] == score_task["track_ids"]
    assert call["environment"]["MIRPIPE_METRICS"] == "tasteful"


def test_a_track_that_crashes_a_score_task_is_recorded_and_not_retried(
    stage: FakeStage, score_task: dict, fresh_database: Database
) -> None:
    bad_track = score_task["track_ids"][1]
    stage.behave(signals={bad_track: signal.SIGSEGV})
    with pytest.raises(StageCrashed):
        stage_tasks.score(**score_task)
    with fresh_database.reader.connect() as connection:
        rows = connection.execute(
            text("SELECT stage, track_id, reason, retry FROM mirpipe.failure")
        )
        assert [tuple(row) for row in rows] == [("score", bad_track, "crashed", False)]
    tasks = evaluation_planning.plan_scores().tasks
    assert bad_track not in {track_id for task in tasks for track_id in task["track_ids"]}


def test_a_target_that_crashes_a_generate_task_is_recorded_and_not_retried(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation_planning.plan_generate({})
    crash = Outcome({}, -signal.SIGSEGV)
    monkeypatch.setattr(crash_isolation, "try_stage", lambda *_arguments, **_options: crash)
    with pytest.raises(StageCrashed, match="on 1 of 1 tracks"):
        stage_tasks.generate("resynth", [captioned["300 Hz"]], {"modes": ["strong"]})
    (row,) = queries.failures()
    assert (row.stage, row.plugin, row.reason, row.retry, row.title) == (
        *("generate", "resynth", "crashed", False, "300 Hz"),
    )
    assert generation_planning.plan_generate({}) == [
        {"generator": "resynth", "track_ids": [captioned["500 Hz"]]}
    ]


def test_a_report_that_is_tried_again_still_announces_the_run_that_it_published(
    targets: dict[str, int],
) -> None:
    assert stage_tasks.report("asset_triggered__1")["changed"]
    assert stage_tasks.report("asset_triggered__1")["changed"]
    assert not stage_tasks.report("asset_triggered__2")["changed"]


@pytest.mark.slow
def test_a_task_and_the_command_line_share_the_device_and_generate_nothing_twice(
    captioned: dict[str, int], fresh_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="mirpipe.stage")
    counts: list[int] = []

    def run_task() -> None:
        counts.append(stage_tasks.generate("resynth", sorted(captioned.values()), {})["made"])

    command = [sys.executable, "-m", "mirpipe.cli.main", "generate", "--json"]
    with device_lease.hold_device(registry.GENERATORS.needs("resynth")):
        thread = threading.Thread(target=run_task)
        thread.start()
        by_hand = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        eventually(lambda: sessions_waiting(fresh_database.owner) == 2, seconds=120)
        assert count_clips(fresh_database) == 0
    output, log = by_hand.communicate(timeout=120)
    thread.join(120)
    assert "waiting for the device" in log
    assert "waiting for the device" in caplog.text
    assert sorted([*counts, json.loads(output)["made"]]) == [0, 6]
    assert count_clips(fresh_database) == 6


def count_clips(database: Database) -> int:
    with database.reader.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM mirpipe.generation")).scalar_one())


def test_an_ingest_that_withholds_a_removal_fails_and_names_the_parameter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[Sequence[str]] = []

    def try_stage(arguments: Sequence[str]) -> Outcome:
        calls.append(arguments)
        return Outcome({"gone": 21}, 0) if "--allow-removal" in arguments else withheld

    withheld = Outcome({"withheld": 21}, 1)
    monkeypatch.setattr(stage_tasks, "try_stage", try_stage)
    with pytest.raises(
        ConfigurationError, match=r"21 reference files have vanished.*with allow_removal"
    ):
        stage_tasks.ingest("reference", ["/m"], manifest=None, allow_removal=False)
    counts = stage_tasks.ingest("reference", ["/m"], manifest=None, allow_removal=True)
    assert counts == {"gone": 21}
    assert [*calls[0][3:], *calls[1][3:]] == ["--", "/m", "--allow-removal", "--", "/m"]

"""What tasks that score tracks plan, and what a crash leaves in the ledger."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.errors import PluginError, StageCrashed
from mirpipe.orchestration import ingest_and_embed_tasks
from mirpipe.settings import settings
from tests.orchestration.conftest import FakeStage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.fake_plugins import add_fakes


@pytest.fixture(autouse=True)
def _library(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three references, and the fake track metrics as models, of which one is wanted."""
    add_fakes(monkeypatch, "track_metrics")
    monkeypatch.setenv("MIRPIPE_METRICS", "tasteful")
    settings.cache_clear()
    tones(tmp_path / "audio", [300, 500, 700])
    ingest_folder(tmp_path / "audio", "reference")


def test_a_plan_names_models_and_the_tracks_that_each_lacks() -> None:
    assert [
        (task["metric"], len(task["track_ids"])) for task in ingest_and_embed_tasks.plan_scores()
    ] == [("tasteful", 3)]


def test_without_models_nothing_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_METRICS", "")
    settings.cache_clear()
    assert ingest_and_embed_tasks.plan_scores() == []


def test_a_new_model_is_pending_work_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_and_embed_tasks, "plan_embed", list)
    monkeypatch.setattr(ingest_and_embed_tasks, "plan_analyse", list)
    monkeypatch.setattr("mirpipe.db.queries.pending", list)
    assert ingest_and_embed_tasks.pending()
    monkeypatch.setenv("MIRPIPE_METRICS", "")
    settings.cache_clear()
    assert not ingest_and_embed_tasks.pending()


def test_a_task_runs_the_stage_on_its_tracks(stage: FakeStage) -> None:
    (task,) = ingest_and_embed_tasks.plan_scores()
    stage.behave(counts={"scored": 3})
    assert ingest_and_embed_tasks.score(**task)["scored"] == 3
    (seen,) = stage.seen
    assert seen["arguments"][-2:] == ["--metric", "tasteful"]
    assert "score" in seen["arguments"]
    assert seen["track_ids"] == task["track_ids"]
    assert seen["environment"]["MIRPIPE_METRICS"] == "tasteful"


def test_a_track_that_kills_its_process_is_in_the_ledger_and_not_tried_again(
    stage: FakeStage, fresh_database: Database
) -> None:
    (task,) = ingest_and_embed_tasks.plan_scores()
    poison = task["track_ids"][1]
    stage.behave(signals={poison: signal.SIGSEGV})
    with pytest.raises(StageCrashed):
        ingest_and_embed_tasks.score(**task)
    with fresh_database.reader.connect() as connection:
        found = connection.execute(
            text("SELECT stage, track_id, reason, retry FROM mirpipe.failure")
        )
        assert [tuple(row) for row in found] == [("score", poison, "crashed", False)]
    assert poison not in {
        one for task in ingest_and_embed_tasks.plan_scores() for one in task["track_ids"]
    }


def test_a_model_that_is_not_there_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_METRICS", "absent,tasteful")
    settings.cache_clear()
    absent, tasteful = ingest_and_embed_tasks.plan_scores()
    assert absent == {"metric": "absent", "track_ids": []}
    assert (tasteful["metric"], len(tasteful["track_ids"])) == ("tasteful", 3)
    with pytest.raises(PluginError, match="absent"):
        ingest_and_embed_tasks.score(**absent)

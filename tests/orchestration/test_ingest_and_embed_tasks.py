"""What tasks plan, and what a crash leaves in the ledger."""

import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.errors import PluginError, StageCrashed, StageFailed
from mirpipe.orchestration import ingest_and_embed_tasks
from mirpipe.orchestration.ingest_and_embed_tasks import gathered
from mirpipe.settings import settings
from tests.orchestration.conftest import FakeStage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=3), max_size=60), st.integers(1, 9))
def test_gathering_keeps_every_id_in_order_in_at_most_so_many_lists(
    batches: list[list[int]], most: int
) -> None:
    lists = gathered(batches, most=most)
    assert [one for ids in lists for one in ids] == [one for ids in batches for one in ids]
    assert len(lists) <= most
    assert all(lists)


def test_few_batches_stay_apart() -> None:
    assert gathered([(1, 2), (3,)]) == [[1, 2], [3]]


def test_a_plan_names_encoders_and_what_they_lack_together(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "2")
    settings.cache_clear()
    assert ingest_and_embed_tasks.plan_embed() == []
    tones(tmp_path, [300, 500])
    ingest_folder(tmp_path, "reference")
    assert [
        (task["encoders"], len(task["track_ids"])) for task in ingest_and_embed_tasks.plan_embed()
    ] == [
        (["musicnn", "signal"], 1),
        (["musicnn", "signal"], 1),
    ]
    assert [len(track_ids) for track_ids in ingest_and_embed_tasks.plan_analyse()] == [2]


def test_the_librarys_fingerprint_follows_what_it_holds(
    fresh_database: Database, tmp_path: Path
) -> None:
    def ingested() -> str:
        ingest_folder(tmp_path, "reference")
        return ingest_and_embed_tasks.library_fingerprint()

    assert ingest_and_embed_tasks.library_fingerprint() == ingest_and_embed_tasks.EMPTY
    tones(tmp_path, [300, 500])
    first = ingested()
    assert first == ingested() != ingest_and_embed_tasks.EMPTY
    (tmp_path / "300 Hz.wav").unlink()
    assert ingested() not in (first, ingest_and_embed_tasks.EMPTY)
    tones(tmp_path, [300])
    assert ingested() == first


@pytest.mark.parametrize(
    ("number", "error", "retry"),
    [(signal.SIGSEGV, StageCrashed, False), (signal.SIGKILL, StageFailed, True)],
)
def test_a_track_that_kills_its_process_is_in_the_ledger(
    fresh_database: Database,
    stage: FakeStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
    retry: bool,
) -> None:
    tones(tmp_path / "audio", [300, 500, 700])
    ingest_folder(tmp_path / "audio", "reference")
    monkeypatch.setenv("MIRPIPE_ENCODERS", "signal")
    settings.cache_clear()
    (task,) = ingest_and_embed_tasks.plan_embed()
    poison = task["track_ids"][1]
    stage.behave(signals={poison: number})
    for embed_or_measure in (
        lambda ids: ingest_and_embed_tasks.embed(["signal"], ids),
        ingest_and_embed_tasks.analyse,
    ):
        with pytest.raises(error):
            embed_or_measure(task["track_ids"])
    with fresh_database.app.connect() as connection:
        found = connection.execute(
            text("SELECT stage, track_id, reason, retry FROM mirpipe.failure ORDER BY stage")
        ).all()
    assert [tuple(row) for row in found] == [
        ("analyse", poison, "crashed", retry),
        ("embed", poison, "crashed", retry),
    ]
    pending = {id_ for t in ingest_and_embed_tasks.plan_embed() for id_ in t["track_ids"]}
    assert (poison in pending) == retry
    assert (
        poison in {id_ for ids in ingest_and_embed_tasks.plan_analyse() for id_ in ids}
    ) == retry


def test_where_encoders_crash_together_each_goes_on_alone_and_the_one_at_fault_is_blamed(
    fresh_database: Database, stage: FakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "1")
    settings.cache_clear()
    tones(tmp_path / "audio", [300, 500])
    ingest_folder(tmp_path / "audio", "reference")
    (task,) = ingest_and_embed_tasks.plan_embed()
    stage.behave(encoders={"signal": signal.SIGSEGV})
    with pytest.raises(StageCrashed, match="signal"):
        ingest_and_embed_tasks.embed(**task)
    alone = [(run["arguments"][-1], len(run["track_ids"])) for run in stage.seen[1:]]
    assert alone == [("musicnn", 2), ("signal", 2), ("signal", 1), ("signal", 1)]
    with fresh_database.app.connect() as connection:
        blamed = connection.execute(
            text(
                "SELECT DISTINCT e.name FROM mirpipe.failure f "
                "JOIN mirpipe.encoder e USING (revision) WHERE f.reason = 'crashed'"
            )
        ).scalars()
        assert list(blamed) == ["signal"]
    assert [task["encoders"] for task in ingest_and_embed_tasks.plan_embed()] == [["musicnn"]]


def test_encoders_that_work_together_are_one_process(
    fresh_database: Database, stage: FakeStage
) -> None:
    assert ingest_and_embed_tasks.embed(["musicnn", "signal"], [1, 2]) == {"embedded": 2}
    assert len(stage.seen) == 1
    stage.behave(codes={1: 1})
    with pytest.raises(StageFailed):
        ingest_and_embed_tasks.embed(["musicnn", "signal"], [1, 2])
    assert len(stage.seen) == 2


def test_an_encoder_that_is_broken_for_a_moment_stays_wanted(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> dict[str, int]:
        return {one.plugin: one.items for one in queries.pending() if one.stage == "embed"}

    tones(tmp_path, [300])
    ingest_folder(tmp_path, "reference")
    ingest_and_embed_tasks.plan_embed()
    assert missing() == {"musicnn": 1, "signal": 1}
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "mirpipe.plugins.encoders.signal", None)  # importing it raises
        assert {"encoders": ["signal"], "track_ids": []} in ingest_and_embed_tasks.plan_embed()
        assert missing() == {"musicnn": 1, "signal": 1}
        (said,) = queries.unavailable()
        assert (said.name, said.reason) == ("signal", "ModuleNotFoundError")
        with pytest.raises(ImportError):
            ingest_and_embed_tasks.embed(["signal"], [])
    assert [task["encoders"] for task in ingest_and_embed_tasks.plan_embed()] == [
        ["musicnn", "signal"]
    ]
    assert queries.unavailable() == []


def test_an_encoder_that_is_not_there_hides_no_other(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "absent,signal")
    settings.cache_clear()
    tones(tmp_path, [300])
    ingest_folder(tmp_path, "reference")
    absent, signal_ = ingest_and_embed_tasks.plan_embed()
    assert absent == {"encoders": ["absent"], "track_ids": []}
    assert (signal_["encoders"], len(signal_["track_ids"])) == (["signal"], 1)
    with pytest.raises(PluginError, match="absent"):
        ingest_and_embed_tasks.embed(**absent)

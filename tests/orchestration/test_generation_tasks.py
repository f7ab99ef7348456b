"""What the tasks of generate_music plan, and what becomes of a process that dies."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe import registry
from mirpipe.db import queries
from mirpipe.errors import ConfigurationError
from mirpipe.models import device_lease
from mirpipe.orchestration import crash_isolation, generation_tasks
from mirpipe.orchestration.stage_subprocess import Outcome
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.waiting import eventually, sessions_waiting


@pytest.fixture
def targets(fresh_database: Database, tmp_path: Path) -> dict[str, int]:
    """Ids by title of two targets that nothing is known of."""
    tones(tmp_path / "targets", [300, 500])
    ingest_folder(tmp_path / "targets", "target")
    with fresh_database.app.connect() as connection:
        found = connection.execute(text("SELECT title, track_id FROM mirpipe.track"))
        return {row.title: row.track_id for row in found}


@pytest.fixture
def captioned(targets: dict[str, int]) -> dict[str, int]:
    analyse.analyse()
    caption.caption("features")
    return targets


def test_each_plan_names_what_its_stage_lacks(targets: dict[str, int]) -> None:
    assert generation_tasks.pending()
    lists = generation_tasks.plan_analyse([])
    assert sorted(one for ids in lists for one in ids) == sorted(targets.values())
    assert generation_tasks.plan_analyse(["300 Hz"]) == [[targets["300 Hz"]]]
    assert generation_tasks.plan_caption([]) == [], "what is not measured has no caption"
    analyse.analyse()
    assert generation_tasks.plan_analyse([]) == []
    (captions,) = generation_tasks.plan_caption([])
    assert captions == {"captioner": "features", "track_ids": sorted(targets.values())}
    caption.caption("features")
    (clips,) = generation_tasks.plan_generate({})
    assert clips == {"generator": "resynth", "track_ids": sorted(targets.values())}


def test_parameters_bound_what_is_planned(captioned: dict[str, int]) -> None:
    only = {"targets": ["500 Hz"], "modes": ["simple"], "seeds": 2, "limit": None}
    assert generation_tasks.plan_generate(only) == [
        {"generator": "resynth", "track_ids": [captioned["500 Hz"]]}
    ]
    (one,) = generation_tasks.plan_generate({"limit": 1})
    assert len(one["track_ids"]) == 1
    assert generation_tasks.plan_generate({"modes": ["no such mode"]}) == []
    with pytest.raises(ConfigurationError, match="no usable target"):
        generation_tasks.plan_generate({"targets": ["nobody"]})


def test_where_no_captioner_is_wanted_nothing_is_planned(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generation_tasks.pending()
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "")
    settings.cache_clear()
    assert not generation_tasks.pending()
    assert [work for work in queries.pending() if work.stage == "generate"] == []


def test_an_unavailable_generator_is_named_until_nobody_wants_it(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("MIRPIPE_GENERATORS", "musicgen_melody,resynth")
    settings.cache_clear()
    assert [task["generator"] for task in generation_tasks.plan_generate({})] == ["resynth"]
    (wanting,) = queries.unavailable()
    assert (wanting.kind, wanting.name) == ("generator", "musicgen_melody")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "resynth")
    settings.cache_clear()
    generation_tasks.plan_generate({})
    assert queries.unavailable() == []


def test_a_target_that_kills_the_process_is_in_the_ledger_and_not_tried_again(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation_tasks.plan_generate({})
    died = Outcome({}, -signal.SIGSEGV)
    monkeypatch.setattr(crash_isolation, "invoke", lambda *_arguments, **_options: died)
    with pytest.raises(Exception, match="on 1 of 1 tracks"):
        generation_tasks.generate("resynth", [captioned["300 Hz"]], {"modes": ["strong"]})
    (row,) = queries.failures()
    assert (row.stage, row.plugin, row.reason, row.retry, row.title) == (
        *("generate", "resynth", "crashed", False, "300 Hz"),
    )
    assert generation_tasks.plan_generate({}) == [
        {"generator": "resynth", "track_ids": [captioned["500 Hz"]]}
    ]


@pytest.mark.slow
def test_a_task_and_the_command_line_share_the_device_and_make_nothing_twice(
    captioned: dict[str, int], fresh_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="mirpipe.stage")
    made: list[int] = []

    def task() -> None:
        made.append(generation_tasks.generate("resynth", sorted(captioned.values()), {})["made"])

    command = [sys.executable, "-m", "mirpipe.cli.main", "generate", "--json"]
    with device_lease.leased(registry.GENERATORS.needs("resynth")):
        thread = threading.Thread(target=task)
        thread.start()
        by_hand = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        eventually(lambda: sessions_waiting(fresh_database.owner) == 2, seconds=120)
        assert count(fresh_database) == 0
    said, complaint = by_hand.communicate(timeout=120)
    thread.join(120)
    assert "waiting for the device" in complaint
    assert "waiting for the device" in caplog.text
    assert sorted([*made, json.loads(said)["made"]]) == [0, 6]
    assert count(fresh_database) == 6


def count(database: Database) -> int:
    with database.reader.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM mirpipe.generation")).scalar_one())

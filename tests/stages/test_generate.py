"""Generate: each configured clip is generated only once, even after errors and killed runs."""

import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe import registry
from mirpipe.db.store import content_digest
from mirpipe.db.store.stored_revisions import stored_revisions
from mirpipe.errors import PluginError
from mirpipe.generation.modes import Mode
from mirpipe.models import device_lease
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from mirpipe.stages import generate as stage
from mirpipe.stages.generate import ClipSelection, GenerateResult
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database, DatabasePool
from tests.support.fake_plugins import folder_of

pytestmark = pytest.mark.usefixtures("_echo_and_beep")

TARGETS = [300.0, 500.0]
MODES = [("medium", 3.0), ("simple", 3.0), ("strong", 5.0)]

# Script for a process that is killed. The script's arguments are the folders of the fake plug-ins.
_GENERATE = """
import sys
import mirpipe.plugins.captioners, mirpipe.plugins.generators
mirpipe.plugins.captioners.__path__.append(sys.argv[1])
mirpipe.plugins.generators.__path__.append(sys.argv[2])
from mirpipe.stages import generate
generate.generate("beep")
"""


@pytest.fixture
def log(
    fresh_database: Database, database_pool: DatabasePool, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Ingest and caption two targets, and return the file to which the generator logs its clips."""
    folder = database_pool.fill(fresh_database, _captioned_targets)
    set_environment(
        monkeypatch, BEEP_LOG=str(folder / "log"), MIRPIPE_CLIPS_DIR=str(folder / "clips")
    )
    return folder / "log"


def _captioned_targets(_database: Database, folder: Path) -> Path:
    tones(folder / "targets", TARGETS)
    ingest_folder(folder / "targets", "target")
    analyse.analyse()
    caption.caption("echo")
    return folder


def generated(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def set_environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def test_each_target_gets_one_clip_per_mode_and_the_next_run_makes_none(
    log: Path, fresh_database: Database
) -> None:
    assert stage.generate("beep") == GenerateResult(made=6, rejected=0, failed=0)
    assert stage.generate("beep") == GenerateResult(made=0, rejected=0, failed=0)
    assert len(generated(log)) == 6
    clips = rows(
        fresh_database,
        "SELECT mode, guidance, seed, seconds, prompt, caption FROM mirpipe.v_generation "
        "WHERE target = '300 Hz' ORDER BY mode",
    )
    assert [(mode, guidance) for mode, guidance, *_ in clips] == MODES
    assert {(seed, seconds) for _, _, seed, seconds, *_ in clips} == {(0, 1.5)}
    # The prompt contains no tempo, because a tone has no tempo.
    assert {prompt for *_, prompt, _ in clips} == {"8000 samples"}
    (summary,) = rows(
        fresh_database,
        "SELECT count(*), min(state), min(seconds) FROM mirpipe.track "
        "WHERE collection = 'generated'",
    )
    assert summary[1:] == ("ok", 1.5)


def test_the_time_and_the_peak_memory_of_captioner_and_generator_are_stored(
    log: Path, fresh_database: Database
) -> None:
    stage.generate("beep")
    with fresh_database.reader.connect() as connection:
        revisions = {each.name: each for each in stored_revisions(connection)}
    for name in ("echo", "beep"):
        assert revisions[name].device == "cpu"
        assert 0 < (revisions[name].seconds_per_item or 0) < 60
        assert 1e7 < (revisions[name].peak_memory_bytes or 0) < 1e11


def test_two_clips_with_equal_bytes_are_one_track(log: Path, fresh_database: Database) -> None:
    stage.generate("beep")
    clips = rows(
        fresh_database,
        "SELECT mode, track_id, content_sha256, path FROM mirpipe.v_generation "
        "WHERE target = '300 Hz' ORDER BY mode",
    )
    (_, medium, _, path), (_, simple, _, _), (_, strong, _, _) = clips
    assert medium == strong != simple
    assert Path(str(path)).is_relative_to(log.with_name("clips"))
    assert Path(str(path)).stem == clips[0][2]


def test_more_seeds_modes_or_guidance_values_add_only_the_new_clips(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.generate("beep")
    set_environment(monkeypatch, MIRPIPE_SEEDS="2")
    assert stage.generate("beep").made == 6
    set_environment(monkeypatch, MIRPIPE_GUIDANCE_SWEEP="1,7.5")
    assert stage.generate("beep").made == 2 * 2 * 2
    extra = '[{"name": "bare", "is_conditioned": false, "guidance": 1}]'
    set_environment(monkeypatch, MIRPIPE_MODES=extra, MIRPIPE_GUIDANCE_SWEEP="")
    assert stage.generate("beep").made == 4
    assert len(generated(log)) == 24
    assert set(Counter(generated(log)).values()) == {len(TARGETS)}


def test_a_selection_limits_the_generated_clips(log: Path, fresh_database: Database) -> None:
    (target,) = rows(fresh_database, "SELECT track_id FROM mirpipe.track WHERE title = '500 Hz'")
    selection = ClipSelection(target_ids=[int(str(target[0]))], modes=["strong", "simple"], limit=1)
    assert stage.generate("beep", selection).made == 1
    (clip,) = rows(fresh_database, "SELECT target, mode FROM mirpipe.v_generation")
    assert clip == ("500 Hz", "simple")
    assert stage.generate("beep", ClipSelection(seeds=2)).made == 11


def test_out_of_memory_halves_the_batch_and_then_fails_the_clip(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, BEEP_ROOM="0", MIRPIPE_GENERATE_BATCH="4")
    assert stage.generate("beep") == GenerateResult(made=0, rejected=0, failed=6)
    ledger = rows(fresh_database, "SELECT reason, retry, subject, title FROM mirpipe.v_failure")
    assert {row[:2] for row in ledger} == {("OutOfMemory", True)}
    assert len({row[2] for row in ledger}) == 6
    set_environment(monkeypatch, BEEP_ROOM="1")
    assert stage.generate("beep") == GenerateResult(made=6, rejected=0, failed=0)
    assert rows(fresh_database, "SELECT FROM mirpipe.v_failure") == []


def test_a_target_that_breaks_the_model_does_not_stop_the_others(
    log: Path, fresh_database: Database
) -> None:
    with fresh_database.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.caption SET caption = 'broken' FROM mirpipe.track t "
                "WHERE t.track_id = caption.track_id AND t.title = '300 Hz'"
            )
        )
    assert stage.generate("beep") == GenerateResult(made=3, rejected=0, failed=3)
    ledger = rows(fresh_database, "SELECT DISTINCT title, message, retry FROM mirpipe.v_failure")
    assert ledger == [("300 Hz", "the model failed", True)]


def test_a_silent_clip_is_in_the_ledger_and_not_generated_again(
    log: Path, fresh_database: Database
) -> None:
    with fresh_database.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.caption SET caption = 'silent'"))
    assert stage.generate("beep") == GenerateResult(made=0, rejected=6, failed=0)
    assert rows(fresh_database, "SELECT DISTINCT reason, retry FROM mirpipe.v_failure") == [
        ("silent", False)
    ]
    assert stage.plan("beep") == []


def test_a_target_with_a_missing_file_fails_alone(log: Path) -> None:
    (log.parent / "targets/300 Hz.wav").unlink()
    result = stage.generate("beep")
    # Clips in the mode simple can still be generated, because they need no audio.
    assert (result.made, result.failed) == (4, 2)


def test_a_clip_of_the_wrong_length_is_an_error_of_the_plug_in(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = registry.GENERATORS.load("beep")
    generate = type(model).generate
    monkeypatch.setattr(
        type(model), "generate", lambda self, batch: [clip[:-1] for clip in generate(self, batch)]
    )
    assert stage.generate("beep").failed == 6
    ((message,),) = rows(fresh_database, "SELECT DISTINCT message FROM mirpipe.v_failure")
    assert "the plug-in is broken" in str(message)


def test_a_new_caption_gives_new_clips_and_keeps_the_old_ones(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.generate("beep")
    newer = replace(registry.CAPTIONERS.declared("echo"), version=2)
    monkeypatch.setattr(sys.modules["mirpipe.plugins.captioners.echo"], "SPEC", newer)
    monkeypatch.setenv("ECHO", "another sentence")
    caption.caption("echo")
    assert stage.generate("beep").made == 6
    counts = rows(
        fresh_database,
        "SELECT caption, count(*), bool_or(wanted) FROM mirpipe.v_generation GROUP BY 1 ORDER BY 1",
    )
    assert counts == [("8000 samples", 6, False), ("another sentence", 6, True)]


@pytest.mark.slow
def test_after_a_kill_the_next_run_generates_only_the_missing_clips(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_GENERATE_BATCH", "2")
    plugin_folders = [folder_of("captioners"), folder_of("generators")]

    def killed_at(line: int) -> int:
        command = [sys.executable, "-c", _GENERATE, *plugin_folders]
        environment = os.environ | {"BEEP_DIES_AT": str(line)}
        return subprocess.run(command, env=environment, capture_output=True).returncode

    def tables() -> dict[str, str]:
        with fresh_database.reader.connect() as connection:
            return content_digest.digests(connection)

    stage.generate("beep")
    expected = tables()
    for line in (1, 4):
        _delete_clips(fresh_database)
        log.unlink()
        assert killed_at(line) == -9
        stored = len(rows(fresh_database, "SELECT FROM mirpipe.generation"))
        assert stored == (line - 1) // 2 * 2, "clips of earlier calls are stored"
        assert stage.generate("beep").made == 6 - stored, "no clip is generated twice"
        assert tables() == expected


def _delete_clips(database: Database) -> None:
    with database.owner.begin() as connection:
        connection.execute(text("TRUNCATE mirpipe.generation CASCADE"))
        connection.execute(text("DELETE FROM mirpipe.track_file WHERE collection = 'generated'"))
        connection.execute(text("DELETE FROM mirpipe.embedding_change"))
        connection.execute(text("DELETE FROM mirpipe.track WHERE collection = 'generated'"))


def test_two_runs_at_the_same_time_wait_for_the_device_and_generate_each_clip_once(
    log: Path,
) -> None:
    is_waiting = threading.Event()
    results: list[GenerateResult] = []

    def run() -> None:
        results.append(stage.generate("beep", on_wait=lambda _name: is_waiting.set()))

    with device_lease.hold_device(registry.GENERATORS.needs("beep")):
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert is_waiting.wait(30)
        assert generated(log) == []
    for thread in threads:
        thread.join(60)
    assert sorted(result.made for result in results) == [0, 6]
    assert len(generated(log)) == 6


def test_a_generator_without_guidance_has_no_sweep(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, MIRPIPE_GUIDANCE_SWEEP="1,2")
    assert {clip.guidance for clip in stage.plan("resynth")} == {None}
    assert sorted({clip.mode for clip in stage.plan("resynth")}) == ["medium", "simple", "strong"]
    assert Mode("sweep", True, 2.0) in {clip.as_mode for clip in stage.plan("beep")}


def test_an_estimate_uses_the_time_of_earlier_clips(log: Path) -> None:
    before = stage.estimate("beep", stage.plan("beep"))
    assert (before.clips, before.seconds, before.takes_seconds) == (6, 9.0, None)
    assert before.modes == {"simple": 2, "medium": 2, "strong": 2}
    stage.generate("beep", ClipSelection(limit=2))
    after = stage.estimate("beep", stage.plan("beep"))
    assert after.clips == 4
    assert after.takes_seconds is not None
    assert 0 < after.takes_seconds < 60


def test_the_clips_of_a_generator_that_cannot_be_loaded_fail_and_are_generated_later(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.plan("beep")
    with monkeypatch.context() as broken:
        broken.delattr(sys.modules["mirpipe.plugins.generators.beep"], "Plugin")
        assert stage.generate("beep") == GenerateResult(made=0, rejected=0, failed=6)
    ledger = rows(fresh_database, "SELECT subject, reason, retry FROM mirpipe.v_failure")
    assert ledger == [("generator:beep", "AttributeError", True)]
    assert stage.generate("beep").made == 6


def test_an_unknown_generator_is_an_error() -> None:
    with pytest.raises(PluginError, match="no generator 'boop'"):
        stage.plan("boop")

"""Generate: every clip that is asked for once, whatever happens meanwhile."""

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
from mirpipe.errors import PluginError
from mirpipe.generation.modes import Mode
from mirpipe.models import device_lease
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from mirpipe.stages import generate as stage
from mirpipe.stages.generate import Asked, GenerateResult
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.fake_plugins import folder_of

pytestmark = pytest.mark.usefixtures("_echo_and_beep")

TARGETS = [300.0, 500.0]
MODES = [("medium", 3.0), ("simple", 3.0), ("strong", 5.0)]

# What a process runs that is killed: argv are the folders of the fakes.
_GENERATE = """
import sys
import mirpipe.plugins.captioners, mirpipe.plugins.generators
mirpipe.plugins.captioners.__path__.append(sys.argv[1])
mirpipe.plugins.generators.__path__.append(sys.argv[2])
from mirpipe.stages import generate
generate.generate("beep")
"""


@pytest.fixture
def log(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two captioned targets; the file that lists what the generator made."""
    monkeypatch.setenv("BEEP_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    tones(tmp_path / "targets", TARGETS)
    ingest_folder(tmp_path / "targets", "target")
    analyse.analyse()
    caption.caption("echo")
    return tmp_path / "log"


def made(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def set_up(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def test_every_target_is_made_in_every_mode_and_nothing_twice(
    log: Path, fresh_database: Database
) -> None:
    assert stage.generate("beep") == GenerateResult(made=6, rejected=0, failed=0)
    assert stage.generate("beep") == GenerateResult(made=0, rejected=0, failed=0)
    assert len(made(log)) == 6
    found = rows(
        fresh_database,
        "SELECT mode, guidance, seed, seconds, prompt, caption FROM mirpipe.v_generation "
        "WHERE target = '300 Hz' ORDER BY mode",
    )
    assert [(mode, guidance) for mode, guidance, *_ in found] == MODES
    assert {(seed, seconds) for _, _, seed, seconds, *_ in found} == {(0, 1.5)}
    assert {prompt for *_, prompt, _ in found} == {"8000 samples"}  # a tone has no tempo
    (states,) = rows(
        fresh_database,
        "SELECT count(*), min(state), min(seconds) FROM mirpipe.track "
        "WHERE collection = 'generated'",
    )
    assert states[1:] == ("ok", 1.5)


def test_clips_of_the_same_bytes_are_one_track_of_two_generations(
    log: Path, fresh_database: Database, tmp_path: Path
) -> None:
    stage.generate("beep")
    found = rows(
        fresh_database,
        "SELECT mode, track_id, content_sha256, path FROM mirpipe.v_generation "
        "WHERE target = '300 Hz' ORDER BY mode",
    )
    (_, medium, _, path), (_, simple, _, _), (_, strong, _, _) = found
    assert medium == strong != simple
    assert Path(str(path)).is_relative_to(tmp_path / "clips")
    assert Path(str(path)).stem == found[0][2]


def test_more_seeds_modes_and_guidance_make_only_what_is_new(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.generate("beep")
    set_up(monkeypatch, MIRPIPE_SEEDS="2")
    assert stage.generate("beep").made == 6
    set_up(monkeypatch, MIRPIPE_GUIDANCE_SWEEP="1,7.5")
    assert stage.generate("beep").made == 2 * 2 * 2
    extra = '[{"name": "bare", "is_conditioned": false, "guidance": 1}]'
    set_up(monkeypatch, MIRPIPE_MODES=extra, MIRPIPE_GUIDANCE_SWEEP="")
    assert stage.generate("beep").made == 4
    assert len(made(log)) == 24
    assert set(Counter(made(log)).values()) == {len(TARGETS)}


def test_what_is_asked_for_bounds_what_is_made(log: Path, fresh_database: Database) -> None:
    (target,) = rows(fresh_database, "SELECT track_id FROM mirpipe.track WHERE title = '500 Hz'")
    asked = Asked(target_ids=[int(str(target[0]))], modes=["strong", "simple"], limit=1)
    assert stage.generate("beep", asked).made == 1
    (only,) = rows(fresh_database, "SELECT target, mode FROM mirpipe.v_generation")
    assert only == ("500 Hz", "simple")
    assert stage.generate("beep", Asked(seeds=2)).made == 11


def test_out_of_memory_halves_the_batch_and_then_fails_the_clip(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, BEEP_ROOM="0", MIRPIPE_GENERATE_BATCH="4")
    assert stage.generate("beep") == GenerateResult(made=0, rejected=0, failed=6)
    ledger = rows(fresh_database, "SELECT reason, retry, subject, title FROM mirpipe.v_failure")
    assert {row[:2] for row in ledger} == {("OutOfMemory", True)}
    assert len({row[2] for row in ledger}) == 6
    set_up(monkeypatch, BEEP_ROOM="1")
    assert stage.generate("beep") == GenerateResult(made=6, rejected=0, failed=0)
    assert rows(fresh_database, "SELECT FROM mirpipe.v_failure") == []


def test_one_target_that_breaks_the_model_keeps_no_other_waiting(
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
    assert ledger == [("300 Hz", "the model fell over", True)]


def test_a_silent_clip_is_in_the_ledger_and_not_made_again(
    log: Path, fresh_database: Database
) -> None:
    with fresh_database.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.caption SET caption = 'silent'"))
    assert stage.generate("beep") == GenerateResult(made=0, rejected=6, failed=0)
    assert rows(fresh_database, "SELECT DISTINCT reason, retry FROM mirpipe.v_failure") == [
        ("silent", False)
    ]
    assert stage.plan("beep") == []


def test_a_target_that_vanished_fails_alone(log: Path, tmp_path: Path) -> None:
    (tmp_path / "targets/300 Hz.wav").unlink()
    done = stage.generate("beep")
    assert (done.made, done.failed) == (4, 2)  # simple needs no audio


def test_a_clip_of_the_wrong_length_is_the_plug_ins_fault(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = registry.GENERATORS.load("beep")
    generate = type(model).generate
    monkeypatch.setattr(
        type(model), "generate", lambda self, asked: [one[:-1] for one in generate(self, asked)]
    )
    assert stage.generate("beep").failed == 6
    ((message,),) = rows(fresh_database, "SELECT DISTINCT message FROM mirpipe.v_failure")
    assert "the plug-in is broken" in str(message)


def test_another_caption_makes_other_clips_and_keeps_the_old_ones(
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
def test_killed_at_any_clip_it_goes_on_at_the_next_missing_one(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_GENERATE_BATCH", "2")
    fakes = [folder_of("captioners"), folder_of("generators")]

    def killed_at(line: int) -> int:
        command = [sys.executable, "-c", _GENERATE, *fakes]
        environment = os.environ | {"BEEP_DIES_AT": str(line)}
        return subprocess.run(command, env=environment, capture_output=True).returncode

    def tables() -> dict[str, str]:
        with fresh_database.reader.connect() as connection:
            return content_digest.digests(connection)

    stage.generate("beep")
    undisturbed = tables()
    for line in (1, 4):
        _forget(fresh_database)
        log.unlink()
        assert killed_at(line) == -9
        done = len(rows(fresh_database, "SELECT FROM mirpipe.generation"))
        assert done == (line - 1) // 2 * 2, "what was done before the call is there"
        assert stage.generate("beep").made == 6 - done, "no clip is made twice"
        assert tables() == undisturbed


def _forget(database: Database) -> None:
    with database.owner.begin() as connection:
        connection.execute(text("TRUNCATE mirpipe.generation CASCADE"))
        connection.execute(text("DELETE FROM mirpipe.track_file WHERE collection = 'generated'"))
        connection.execute(text("DELETE FROM mirpipe.embedding_change"))
        connection.execute(text("DELETE FROM mirpipe.track WHERE collection = 'generated'"))


def test_two_at_once_share_the_device_and_make_nothing_twice(log: Path) -> None:
    told = threading.Event()
    results: list[GenerateResult] = []

    def run() -> None:
        results.append(stage.generate("beep", waiting=lambda _name: told.set()))

    with device_lease.leased(registry.GENERATORS.needs("beep")):
        others = [threading.Thread(target=run) for _ in range(2)]
        for other in others:
            other.start()
        assert told.wait(30)
        assert made(log) == []
    for other in others:
        other.join(60)
    assert sorted(result.made for result in results) == [0, 6]
    assert len(made(log)) == 6


def test_a_generator_without_guidance_has_none_and_makes_no_sweep(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, MIRPIPE_GUIDANCE_SWEEP="1,2")
    assert {clip.guidance for clip in stage.plan("resynth")} == {None}
    assert sorted({clip.mode for clip in stage.plan("resynth")}) == ["medium", "simple", "strong"]
    assert Mode("sweep", True, 2.0) in {clip.as_mode for clip in stage.plan("beep")}


def test_an_estimate_knows_what_the_generator_took_before(log: Path) -> None:
    before = stage.estimate("beep", stage.plan("beep"))
    assert (before.clips, before.seconds, before.takes_seconds) == (6, 9.0, None)
    assert before.modes == {"simple": 2, "medium": 2, "strong": 2}
    stage.generate("beep", Asked(limit=2))
    after = stage.estimate("beep", stage.plan("beep"))
    assert after.clips == 4
    assert after.takes_seconds is not None
    assert 0 < after.takes_seconds < 60


def test_a_generator_that_cannot_be_loaded_fails_its_clips_and_makes_them_when_it_can(
    log: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.plan("beep")
    with monkeypatch.context() as broken:
        broken.delattr(sys.modules["mirpipe.plugins.generators.beep"], "Plugin")
        assert stage.generate("beep") == GenerateResult(made=0, rejected=0, failed=6)
    ledger = rows(fresh_database, "SELECT subject, reason, retry FROM mirpipe.v_failure")
    assert ledger == [("generator:beep", "AttributeError", True)]
    assert stage.generate("beep").made == 6


def test_an_unknown_generator_is_refused() -> None:
    with pytest.raises(PluginError, match="no generator is called 'boop'"):
        stage.plan("boop")

"""Analyse and caption: once a target, with what contradicts the measurements."""

import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.stages import analyse
from mirpipe.stages import caption as stage
from mirpipe.stages.analyse import AnalyseResult
from mirpipe.stages.caption import CaptionResult
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_echo_and_beep")


@pytest.fixture
def targets(fresh_database: Database, tmp_path: Path) -> Path:
    """A folder of two targets; there is a reference, too, which nobody captions."""
    tones(tmp_path / "targets", [300, 500])
    tones(tmp_path / "references", [700])
    ingest_folder(tmp_path / "references", "reference")
    ingest_folder(tmp_path / "targets", "target")
    return tmp_path / "targets"


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_every_track_is_measured_once_and_what_cannot_be_has_its_reason(
    targets: Path, fresh_database: Database
) -> None:
    assert analyse.analyse() == AnalyseResult(measured=3, rejected=0, failed=0)
    assert analyse.analyse() == AnalyseResult(measured=0, rejected=0, failed=0)
    found = rows(
        fresh_database, "SELECT tempo_bpm, beat_seconds, reasons FROM mirpipe.track_feature"
    )
    assert len(found) == 3
    for tempo, beats, reasons in found:
        assert (tempo, beats) == (None, [])
        assert json.loads(json.dumps(reasons))["tempo_bpm"]


def test_a_target_that_changed_on_disk_fails_alone_and_is_tried_again(
    targets: Path, fresh_database: Database
) -> None:
    tone(targets / "300 Hz.wav", 310)
    assert analyse.analyse() == AnalyseResult(measured=2, rejected=0, failed=1)
    ledger = rows(fresh_database, "SELECT stage, title, retry FROM mirpipe.v_failure")
    assert ledger == [("analyse", "300 Hz", True)]
    tone(targets / "300 Hz.wav", 300)
    assert analyse.analyse() == AnalyseResult(measured=1, rejected=0, failed=0)
    assert rows(fresh_database, "SELECT FROM mirpipe.v_failure") == []


def test_the_middle_of_every_target_is_captioned_once(
    targets: Path, fresh_database: Database
) -> None:
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=0), "unmeasured"
    analyse.analyse()
    assert stage.caption("echo") == CaptionResult(captioned=2, rejected=0, failed=0)
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=0)
    found = rows(
        fresh_database,
        "SELECT caption, window_start_seconds, window_seconds, contradictions, random "
        "FROM mirpipe.v_caption",
    )
    assert found == [("8000 samples", 0.5, 1.0, [], False)] * 2


def test_words_that_contradict_a_measurement_are_flagged(
    targets: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.analyse()
    with fresh_database.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track_feature SET tempo_bpm = 120"))
    monkeypatch.setenv("ECHO", "A drum groove at 84.5 BPM")
    stage.caption("echo")
    for (contradictions,) in rows(fresh_database, "SELECT contradictions FROM mirpipe.v_caption"):
        assert isinstance(contradictions, list)
        assert any("84.5" in one and "120" in one for one in contradictions)


def test_no_words_are_no_caption(
    targets: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.analyse()
    monkeypatch.setenv("ECHO", " ")
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=2, failed=0)
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=0), "not again"
    reasons = rows(fresh_database, "SELECT DISTINCT stage, reason, retry FROM mirpipe.v_failure")
    assert reasons == [("caption", "no_caption", False)]


def test_a_captioner_that_cannot_be_loaded_fails_its_targets_and_is_in_the_ledger(
    targets: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.analyse()
    stage.plan("echo")
    monkeypatch.delattr(sys.modules["mirpipe.plugins.captioners.echo"], "Plugin")
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=2)
    ledger = rows(fresh_database, "SELECT subject, reason, retry FROM mirpipe.v_failure")
    assert ledger == [("captioner:echo", "AttributeError", True)]

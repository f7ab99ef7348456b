"""Caption: each target is captioned once, and contradictions to its features are listed."""

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
    """Ingest two targets and one reference, and return the targets folder."""
    tones(tmp_path / "targets", [300, 500])
    tones(tmp_path / "references", [700])
    ingest_folder(tmp_path / "references", "reference")
    ingest_folder(tmp_path / "targets", "target")
    return tmp_path / "targets"


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_every_track_is_measured_once_and_a_missing_feature_has_its_reason(
    targets: Path, fresh_database: Database
) -> None:
    assert analyse.analyse() == AnalyseResult(measured=3, rejected=0, failed=0)
    assert analyse.analyse() == AnalyseResult(measured=0, rejected=0, failed=0)
    features = rows(
        fresh_database, "SELECT tempo_bpm, beat_seconds, reasons FROM mirpipe.track_feature"
    )
    assert len(features) == 3
    for tempo, beats, reasons in features:
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


def test_each_target_gets_one_caption_from_its_middle(
    targets: Path, fresh_database: Database
) -> None:
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=0), "no features"
    analyse.analyse()
    assert stage.caption("echo") == CaptionResult(captioned=2, rejected=0, failed=0)
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=0)
    captions = rows(
        fresh_database,
        "SELECT caption, window_start_seconds, window_seconds, contradictions, random "
        "FROM mirpipe.v_caption",
    )
    assert captions == [("8000 samples", 0.5, 1.0, [], False)] * 2


def test_a_contradiction_between_caption_and_tempo_is_listed(
    targets: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.analyse()
    with fresh_database.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track_feature SET tempo_bpm = 120"))
    monkeypatch.setenv("ECHO", "A drum groove at 84.5 BPM")
    stage.caption("echo")
    for (contradictions,) in rows(fresh_database, "SELECT contradictions FROM mirpipe.v_caption"):
        assert isinstance(contradictions, list)
        assert any("84.5" in line and "120" in line for line in contradictions)


def test_an_empty_caption_is_rejected_and_not_tried_again(
    targets: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.analyse()
    monkeypatch.setenv("ECHO", " ")
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=2, failed=0)
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=0), (
        "not tried again"
    )
    reasons = rows(fresh_database, "SELECT DISTINCT stage, reason, retry FROM mirpipe.v_failure")
    assert reasons == [("caption", "no_caption", False)]


def test_all_targets_of_a_captioner_that_cannot_be_loaded_fail(
    targets: Path, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse.analyse()
    stage.plan("echo")
    monkeypatch.delattr(sys.modules["mirpipe.plugins.captioners.echo"], "Plugin")
    assert stage.caption("echo") == CaptionResult(captioned=0, rejected=0, failed=2)
    ledger = rows(fresh_database, "SELECT subject, reason, retry FROM mirpipe.v_failure")
    assert ledger == [("captioner:echo", "AttributeError", True)]

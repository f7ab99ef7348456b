"""Tests for `mirpipe search --text`: matches and error messages."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.settings import settings
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tone
from tests.support.databases import Database
from tests.support.fake_plugins import add_fakes


@pytest.fixture
def _loud_and_soft(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Embed three tones of different levels with two encoders, one of which can embed text."""
    add_fakes(monkeypatch, "encoders")
    for name, level in (("soft", 0.1), ("middle", 0.4), ("loud", 0.9)):
        tone(tmp_path / "music" / f"{name}.wav", 440, level=level)
    ingest_folder(tmp_path / "music", "reference")
    embed_stage.embed(["wordy", "tiny"], batch_tracks=64)


def search(words: str, *, encoder: str = "wordy") -> Result:
    return CliRunner().invoke(app, ["search", "--text", words, "--encoder", encoder, "--json"])


@pytest.mark.usefixtures("_loud_and_soft")
def test_a_text_finds_the_most_similar_references() -> None:
    for words, titles in (
        ("LOUD", ["loud", "middle", "soft"]),
        ("hush", ["soft", "middle", "loud"]),
    ):
        result = json.loads(search(words).stdout)
        assert [hit["title"] for hit in result["answers"]] == titles
        assert result["query"] == {"title": words, "track_id": None}
        assert result["answers"][0]["cosine"] == pytest.approx(1, abs=0.01)


@pytest.mark.usefixtures("_loud_and_soft")
def test_a_text_has_z_but_no_percentile_among_pairs_of_audio(tmp_path: Path) -> None:
    tone(tmp_path / "targets" / "target.wav", 440, level=0.5)
    ingest_folder(tmp_path / "targets", "target")
    embed_stage.embed(["wordy"], batch_tracks=64)
    retrieve()
    report(trigger="test")
    for hit in json.loads(search("LOUD").stdout)["answers"]:
        assert hit["z"] is not None
        assert hit["percentile"] is None
    result = CliRunner().invoke(app, ["search", "loud", "--encoder", "wordy", "--json"])
    assert all(hit["percentile"] is not None for hit in json.loads(result.stdout)["answers"])


@pytest.mark.usefixtures("_loud_and_soft")
def test_a_text_that_equals_a_title_is_still_a_text() -> None:
    assert json.loads(search("loud").stdout)["answers"][0]["title"] == "soft"


@pytest.mark.usefixtures("_loud_and_soft")
def test_the_error_about_an_encoder_without_text_names_encoders_with_text() -> None:
    refused = search("LOUD", encoder="tiny")
    assert refused.exit_code == 2
    assert (
        "tiny cannot search by text. Encoders that can: clap, clap_630k, muq_mulan, wordy"
        in refused.output
    )


@pytest.mark.usefixtures("_loud_and_soft")
def test_without_an_encoder_the_first_one_that_can_embed_text_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for configured, code in (("tiny,wordy", 0), ("tiny", 2)):
        monkeypatch.setenv("MIRPIPE_ENCODERS", configured)
        settings.cache_clear()
        result = CliRunner().invoke(app, ["search", "--text", "LOUD", "--json"])
        assert result.exit_code == code
    assert "No configured encoder with vectors can search by text" in result.output


@pytest.mark.usefixtures("_loud_and_soft")
def test_an_empty_text_is_refused() -> None:
    assert "The text is empty" in search("  ").output

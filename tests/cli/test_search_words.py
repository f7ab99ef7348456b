"""`mirpipe search --text`: what is found by words, and what is said where words find nothing."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.stages import embed as embed_stage
from tests.support.audio_files import ingest_folder, tone
from tests.support.databases import Database
from tests.support.fake_plugins import add_fakes


@pytest.fixture
def _loud_and_soft(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Three tones of different level, heard by two encoders, of which one takes words."""
    add_fakes(monkeypatch, "encoders")
    for name, level in (("soft", 0.1), ("middle", 0.4), ("loud", 0.9)):
        tone(tmp_path / "music" / f"{name}.wav", 440, level=level)
    ingest_folder(tmp_path / "music", "reference")
    embed_stage.embed(["wordy", "tiny"], batch_tracks=64)


def search(words: str, *, encoder: str = "wordy") -> Result:
    return CliRunner().invoke(app, ["search", "--text", words, "--encoder", encoder, "--json"])


@pytest.mark.usefixtures("_loud_and_soft")
def test_words_find_what_lies_nearest_to_them() -> None:
    for words, order in (
        ("LOUD", ["loud", "middle", "soft"]),
        ("hush", ["soft", "middle", "loud"]),
    ):
        answer = json.loads(search(words).stdout)
        assert [hit["title"] for hit in answer["answers"]] == order
        assert answer["query"] == {"title": words, "track_id": None}
        assert answer["answers"][0]["cosine"] == pytest.approx(1, abs=0.01)


@pytest.mark.usefixtures("_loud_and_soft")
def test_words_that_are_a_title_are_words_all_the_same() -> None:
    assert json.loads(search("loud").stdout)["answers"][0]["title"] == "soft"


@pytest.mark.usefixtures("_loud_and_soft")
def test_an_encoder_without_words_names_those_that_take_some() -> None:
    refused = search("LOUD", encoder="tiny")
    assert refused.exit_code == 2
    assert "tiny takes no words; encoders that do: clap, clap_630k, wordy" in refused.output


@pytest.mark.usefixtures("_loud_and_soft")
def test_no_words_are_refused() -> None:
    assert "say in words what it should sound like" in search("  ").output

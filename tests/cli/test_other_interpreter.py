"""Tests for commands that run a model in the models interpreter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe import registry
from mirpipe.models import interpreters
from mirpipe.settings import PROJECT
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.random_weights import folder_of_weights

ENCODER = "music2latent"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        interpreters.current_python_has(registry.ENCODERS.needs(ENCODER).libraries),
        reason="the model is in the interpreter that runs this",
    ),
]


@pytest.fixture
def music(
    fresh_database: Database,
    models_python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("MIRPIPE_MODELS_PYTHON", str(models_python))
    monkeypatch.setenv("MIRPIPE_STAND_INS", str(folder_of_weights()))
    monkeypatch.setenv("MIRPIPE_ENCODERS", ENCODER)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    tones(tmp_path / "music", [220, 330, 440])
    ingest_folder(tmp_path / "music", "reference")
    return tmp_path / "music"


def mirpipe(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mirpipe.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_model_in_another_interpreter_embeds_tracks_once_and_searches_by_a_file(
    music: Path, fresh_database: Database, tmp_path: Path
) -> None:
    first, second = mirpipe("embed", "--json"), mirpipe("embed", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {"embedded": 3, "rejected": 0, "failed": 0}
    assert json.loads(second.stdout)["embedded"] == 0
    with fresh_database.reader.connect() as connection:
        (row,) = connection.execute(
            text("SELECT checkpoint, licence_weights, random FROM mirpipe.v_encoder")
        )
        versions = connection.execute(text("SELECT versions FROM mirpipe.embedding_batch"))
        assert "music2latent" in versions.scalar_one()
    assert row == ("music2latent.pt (random)", "none (random)", True)

    tones(tmp_path / "other", [331])
    search = mirpipe(
        "search", str(tmp_path / "other" / "331 Hz.wav"), "--encoder", ENCODER, "--json"
    )
    assert search.returncode == 0, search.stderr
    result = json.loads(search.stdout)
    assert (len(result["answers"]), result["random"]) == (3, True)

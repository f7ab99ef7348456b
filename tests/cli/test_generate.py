"""Tests for `mirpipe caption` and `mirpipe generate`, also with real models and random weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.settings import settings
from tests.support.audio_files import ingest_folder, tone
from tests.support.databases import Database
from tests.support.random_weights import folder_of_weights

CAPTIONER = "qwen2_audio"
GENERATORS = ("musicgen_melody", "musicgen_melody_audiocraft")


@pytest.fixture
def library(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest two targets and a reference."""
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    monkeypatch.setenv("MIRPIPE_GENERATE_SECONDS", "2")
    settings.cache_clear()
    tone(tmp_path / "targets/月亮 one.wav", 440)
    tone(tmp_path / "targets/月亮 two.wav", 550)
    tone(tmp_path / "references/other.wav", 660)
    ingest_folder(tmp_path / "targets", "target")
    ingest_folder(tmp_path / "references", "reference")


def mirpipe(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mirpipe.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.slow
@pytest.mark.usefixtures("library")
def test_generated_clips_are_embedded_and_scored_by_the_other_stages(
    fresh_database: Database,
) -> None:
    generated = mirpipe("generate", "--json", "--target", "月亮 one")
    assert generated.returncode == 0, generated.stderr
    assert json.loads(generated.stdout) == {"made": 3, "rejected": 0, "failed": 0}

    planned = mirpipe("generate", "--dry-run", "--mode", "strong")
    assert "would generate 0 clips" in planned.stdout  # The other target has no caption yet.
    assert mirpipe("caption").returncode == 0
    planned = mirpipe("generate", "--dry-run", "--mode", "strong", "--json")
    (plan,) = json.loads(planned.stdout).values()
    assert (plan["clips"], plan["modes"]) == (1, {"strong": 1})
    assert plan["takes_seconds"] > 0
    assert rows(fresh_database, "SELECT count(*) FROM mirpipe.generation") == [(3,)]

    assert mirpipe("run").returncode == 0
    scores = rows(
        fresh_database,
        "SELECT metric, count(value), count(reason) FROM mirpipe.v_generation_score GROUP BY 1",
    )
    assert {
        ("cosine musicnn", 3, 0),
        ("cosine signal", 3, 0),
        ("melody_accuracy", 3, 0),
    } <= set(scores)
    assert {values + reasons for _, values, reasons in scores} == {3}
    assert "aligned_melody" in {metric for metric, _, _ in scores}
    summary = rows(
        fresh_database,
        "SELECT DISTINCT mode, guidance, n FROM mirpipe.v_generation_summary "
        "WHERE metric LIKE 'cosine%'",
    )
    assert sorted(summary) == [("medium", None, 1), ("simple", None, 1), ("strong", None, 1)]
    assert rows(fresh_database, "SELECT max(n) FROM mirpipe.v_generation_delta") == [(1,)]
    assert mirpipe("run").returncode == 0
    assert rows(fresh_database, "SELECT count(*) FROM mirpipe.run") == [(1,)], "nothing changed"


@pytest.mark.usefixtures("library")
def test_an_unknown_or_ambiguous_target_is_wrong_usage() -> None:
    for name, message in (("月亮", "matches 2 targets"), ("太阳", "no usable target")):
        process = mirpipe("generate", "--target", name)
        assert process.returncode == 2
        assert message in process.stderr


@pytest.mark.usefixtures("library")
def test_a_model_without_weights_is_named_and_the_others_continue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh_database: Database
) -> None:
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    options = ("--generator", "musicgen_melody", "--generator", "resynth", "--mode", "simple")
    process = mirpipe("generate", *options, "--target", "月亮 one")
    assert process.returncode == 1
    assert process.stdout == "made 1, rejected 0, failed 0\n"
    assert "musicgen_melody is unavailable" in process.stderr
    assert "mirpipe models pull musicgen_melody" in process.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("library")
def test_models_with_random_weights_run_and_their_results_are_marked_random(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, models_python: Path
) -> None:
    monkeypatch.setenv("MIRPIPE_STAND_INS", str(folder_of_weights()))
    monkeypatch.setenv("MIRPIPE_MODELS_PYTHON", str(models_python))
    monkeypatch.setenv("MIRPIPE_CAPTIONER", CAPTIONER)
    monkeypatch.setenv("MIRPIPE_GENERATORS", ",".join(GENERATORS))
    monkeypatch.setenv("MIRPIPE_GENERATE_SECONDS", "1")
    process = mirpipe("generate", "--target", "月亮 one", "--json")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == {"made": 6, "rejected": 0, "failed": 0}
    assert rows(fresh_database, "SELECT captioner, random FROM mirpipe.v_caption") == [
        (CAPTIONER, True)
    ]
    generated = rows(
        fresh_database,
        "SELECT generator, mode, guidance, random, seconds FROM mirpipe.v_generation "
        "ORDER BY generator, is_conditioned, guidance",
    )
    assert generated == [
        (name, mode, guidance, True, 1.0)
        for name in GENERATORS
        for mode, guidance in (("simple", 3.0), ("medium", 3.0), ("strong", 5.0))
    ]
    versions = rows(fresh_database, "SELECT DISTINCT versions ? 'torch' FROM mirpipe.generation")
    assert versions == [(True,)]
    clips = rows(fresh_database, "SELECT count(DISTINCT content_sha256) FROM mirpipe.generation")
    assert clips == [(6,)], "text, melody and guidance must each affect the clip"

"""Runs the parts of `tools.bench_cuda` with small models on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_bench_cuda import SETUP
from tools.bench_cuda.measurement import Options
from tools.bench_cuda.part import measure
from tools.bench_cuda.report import markdown


def options(folder: Path) -> Options:
    return Options("cpu", is_tiny=True, folder=folder)


@pytest.mark.parametrize("name", ["clap", "audiobox_aesthetics"])
def test_speed_agreement_and_halved_batches_of_a_window_model(name: str, tmp_path: Path) -> None:
    result = measure(name, options(tmp_path))
    for dtype in ("float32", "bfloat16"):
        assert set(result[dtype]["speed"]) == {"1", "2"}
        assert min(result[dtype]["speed"].values()) > 0
        assert result[dtype]["peak_megabytes"] > 100
    assert 0.9 < result["agreement"]["cosine"] <= 1.000001
    halving = result["halving"]
    assert (halving["from"], halving["to"], halving["is_simulated"]) == (4, 1, True)
    assert halving["cosine"] > 0.99999
    assert f"| {name}, bfloat16 |" in markdown(SETUP, {name: {"result": result}})


def test_speed_by_mode_and_equal_clips_of_the_generator(tmp_path: Path) -> None:
    result = measure("musicgen_melody", options(tmp_path))
    assert list(result["bfloat16"]["speed"]) == ["simple", "medium", "strong"]
    for by_batch in result["bfloat16"]["speed"].values():
        assert set(by_batch) == {"1", "2"}
        assert min(by_batch.values()) > 0
    same = result["float32"]["same_in_batch"]
    assert (same["clips"], same["same"]) == (2, 2)
    assert 0.9 < result["agreement"]["cosine"] < 1
    assert result["halving"] == {"from": 2, "to": 1, "is_simulated": True}
    page = markdown(SETUP, {"musicgen_melody": {"result": result}})
    assert "In float32, 2 of 2 clips have the same samples alone and with others" in page


def test_captions_per_minute(tmp_path: Path) -> None:
    result = measure("qwen2_audio", options(tmp_path))
    assert result["captions_per_minute"] > 0
    assert "captions per minute" in markdown(SETUP, {"qwen2_audio": {"result": result}})


def test_the_share_of_time_that_an_encoder_waits_for_decoding(tmp_path: Path) -> None:
    result = measure("decoding", options(tmp_path))
    assert 0 <= result["clap"]["waiting_share"] <= 1
    assert result["clap"]["audio_seconds_per_second"] > 0
    assert "| clap |" in markdown(SETUP, {"decoding": {"result": result}})


def test_the_command_writes_results_and_returns_one_if_a_part_has_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.bench_cuda", "--device", "cpu", "--tiny"]
    command += ["--out", str(tmp_path), "--minutes", "60", "--parts", "muq"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    stored = json.loads((tmp_path / "muq.json").read_text())
    assert stored["result"]["window_seconds"] == 10
    assert stored["setup"]["device"] == "cpu"
    page = (tmp_path / "results.md").read_text()
    assert "the models are small, so the numbers mean nothing" in page
    assert "- clap: not measured yet" in page
    # Nothing is measured again. Without time, a part without a result is an error.
    before = (tmp_path / "muq.json").stat().st_mtime_ns
    again = subprocess.run(
        [*command, "clap", "--minutes", "0"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert (tmp_path / "muq.json").stat().st_mtime_ns == before

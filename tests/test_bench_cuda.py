"""Tests for `tools.bench_cuda`: failed parts, stored results, the time limit and the page."""

import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mirpipe.settings import PROJECT
from tools.bench_cuda import pack, parts
from tools.bench_cuda.parts import PARTS, run_parts, stored_outcome
from tools.bench_cuda.report import markdown

SETUP = {
    "device": "cuda",
    "is_tiny": False,
    "card": "A card",
    "card_megabytes": 80_000,
    "python": "3.12.1",
    "torch": "2.9.0",
    "cuda": "12.8",
    "tf32_in_products": False,
    "tf32_in_convolutions": True,
}

SPEED = {
    "speed": {"1": 10.0, "2": 18.0, "4": 20.0},
    "best_batch": 4,
    "best_speed": 20.0,
    "peak_megabytes": 1234,
    "default_batch": 2,
}
CLAP = {
    "window_seconds": 10,
    "float32": SPEED,
    "bfloat16": SPEED | {"best_speed": 44.0},
    "agreement": {"cosine": 0.99987, "largest_difference": 0.01},
    "halving": {"from": 4, "to": 1, "cosine": 1.0, "is_simulated": False},
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a program that is run in place of every part. It counts its calls."""
    path = tmp_path / "program.py"
    monkeypatch.setattr(
        parts, "_command", lambda name: [sys.executable, str(path), name, str(tmp_path / "calls")]
    )
    path.write_text(
        "import json, sys\n"
        "name, calls, setup, folder = sys.argv[1:]\n"
        "open(calls, 'a').write(name + ' ')\n"
        "print('words of a library')\n"
        "sys.exit('out of luck') if name == 'muq' else print(json.dumps({'value': name}))\n"
    )
    return path


def calls(program: Path) -> list[str]:
    """Return the parts that were run, and forget them."""
    path = program.parent / "calls"
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def test_a_failed_part_is_named_with_its_reason_and_does_not_stop_the_others(
    program: Path, tmp_path: Path
) -> None:
    outcomes = run_parts(("clap", "muq", "mert"), SETUP, tmp_path / "out", seconds=60)
    assert calls(program) == ["clap", "muq", "mert"]
    assert outcomes["muq"]["error"] == "exit code 1: out of luck"
    assert [outcomes[name]["result"] for name in ("clap", "mert")] == [
        {"value": "clap"},
        {"value": "mert"},
    ]


def test_only_parts_without_a_result_are_run_again(program: Path, tmp_path: Path) -> None:
    names, out = ("clap", "muq"), tmp_path / "out"
    run_parts(names, SETUP, out, seconds=60)
    calls(program)
    assert run_parts(names, SETUP, out, seconds=60)["clap"]["result"] == {"value": "clap"}
    assert calls(program) == ["muq"]
    # The results of another card are not used.
    run_parts(names, SETUP | {"card": "Another"}, out, seconds=60)
    assert calls(program) == ["clap", "muq"]


def test_no_part_is_started_when_the_time_is_over(program: Path, tmp_path: Path) -> None:
    outcomes = run_parts(("clap",), SETUP, tmp_path / "out", seconds=1)
    assert calls(program) == []
    assert outcomes["clap"]["error"] == "not measured yet"


def test_a_part_that_takes_too_long_is_stopped(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write_text("import signal\nsignal.pause()\n")
    monkeypatch.setattr(parts, "LONGEST_PART", 0.2)
    outcomes = run_parts(("clap",), SETUP, tmp_path / "out", seconds=60)
    assert outcomes["clap"]["error"] == "stopped after 0 s"


def test_a_damaged_result_is_measured_again(program: Path, tmp_path: Path) -> None:
    (tmp_path / "clap.json").write_text('{"resu')
    assert "error" in stored_outcome("clap", SETUP, tmp_path)
    assert "result" in run_parts(("clap",), SETUP, tmp_path, seconds=60)["clap"]
    assert calls(program) == ["clap"]


def test_the_page_shows_results_and_names_parts_without_a_result() -> None:
    outcomes: dict[str, Any] = {name: {"error": "not measured yet"} for name in PARTS}
    text = markdown(SETUP, outcomes | {"clap": {"result": CLAP}})
    assert "A card, 80,000 MB, torch 2.9.0, CUDA 12.8, Python 3.12.1" in text
    assert "| clap, bfloat16 | 10.0 | 18.0 | 44.0 | 4 | 1,234 | 0.99987 | 4 → 1 |" in text
    assert "- musicgen_melody: not measured yet" in text
    assert "- clap:" not in text


def test_the_packed_libraries_are_locked_with_hashes_and_without_torch() -> None:
    names = pack.LIBRARIES.read_text().split()
    locked = (PROJECT / "requirements/models.txt").read_text()
    text = pack.requirements_of(names, locked)
    entries = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert sorted({line.partition("==")[0] for line in entries}) == sorted(names)
    assert text.count("--hash=sha256:") >= len(names)
    assert not {"torch", "numpy", "numba", "llvmlite"} & set(names)


@pytest.mark.parametrize(
    ("name", "is_packed"),
    [
        ("libraries/scipy/linalg/_flapack.cpython-312-x86_64-linux-gnu.so", True),
        ("libraries/torchvision/transforms/functional.py", True),
        ("libraries/librosa/__init__.pyi", True),
        ("libraries/torchvision/_C.so", False),
        ("libraries/torchvision.libs/libnvjpeg.36e11081.so.13", False),
        ("libraries/torchaudio/lib/libtorchaudio.abi3.so", False),
        ("libraries/pillow.libs/libjpeg-6dc8d115.so.62.4.0", True),
        ("libraries/pillow.libs/libavif-c6062d5f.so.16.4.2", False),
        ("libraries/scipy/stats/tests/test_stats.py", False),
        ("libraries/yaml/_yaml.h", False),
    ],
)
def test_the_pack_leaves_out_what_is_not_imported(name: str, is_packed: bool) -> None:
    assert (pack._is_imported(tarfile.TarInfo(name)) is not None) == is_packed

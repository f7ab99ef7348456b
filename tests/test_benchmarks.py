"""`make bench`: what fails is named, the rest is measured, and the page says which is which."""

import sys
from pathlib import Path

import pytest

from benchmarks import parts
from benchmarks.__main__ import page
from benchmarks.parts import MODELS, PIPELINE, Outcome, kept, measure

ABSENT = Outcome(None, complaint="not measured")


@pytest.fixture(autouse=True)
def _kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "KEPT", tmp_path)


def run_instead(monkeypatch: pytest.MonkeyPatch, module: Path, source: str) -> None:
    """Has every part run this program."""
    module.write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(module.parent))
    monkeypatch.setattr(parts, "_commands", lambda _part: (sys.executable, [[module.stem]]))


def test_what_a_part_finds_is_kept_until_it_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_instead(
        monkeypatch, tmp_path / "found.py", "print('words')\nprint('[[\"x\", 1.5, \"s\"]]')"
    )
    assert measure("embed").found == kept("embed").found == [["x", 1.5, "s"]]
    run_instead(monkeypatch, tmp_path / "broken.py", "raise SystemExit('out of luck')")
    assert measure("embed").complaint == "ended with exit code 1:\nout of luck"
    assert kept("embed").found is None


def test_a_model_without_its_interpreter_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_commands", lambda _part: (None, []))
    assert measure("clap").complaint == "needs what `make models` makes"


def test_the_page_shows_what_was_found_and_names_what_was_not() -> None:
    outcomes = dict.fromkeys([*PIPELINE, *MODELS], ABSENT)
    outcomes["embed"] = Outcome([["embedding", 63.21, "s/CPU-s"]], seconds=31.4)
    written = page(outcomes)
    assert "| embedding | 63.2 | s/CPU-s |" in written
    assert "The parts took, in seconds: embed 31." in written
    assert "Not measured here: stream, retrieve" in written
    assert "clap, " in written.rpartition("Not measured here:")[2]

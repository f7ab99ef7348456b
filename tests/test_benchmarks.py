"""Tests for `make bench`: the stored results, the errors and the generated page."""

import sys
from pathlib import Path

import pytest

from benchmarks import browser_table, history_table, long_history, million, parts
from benchmarks.__main__ import page
from benchmarks.parts import BROWSER, HISTORY, MODELS, PIPELINE, Outcome, measure, stored_outcome

NOT_MEASURED = Outcome(None, error="not measured")


@pytest.fixture(autouse=True)
def _results_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "RESULTS_FOLDER", tmp_path)


def run_instead(monkeypatch: pytest.MonkeyPatch, module: Path, source: str) -> None:
    """Replace the program of every part with this one."""
    module.write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(module.parent))
    monkeypatch.setattr(parts, "_commands", lambda _part: (sys.executable, [[module.stem]]))


def test_a_result_is_stored_until_the_part_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_instead(
        monkeypatch, tmp_path / "works.py", "print('words')\nprint('[[\"x\", 1.5, \"s\"]]')"
    )
    assert measure("embed").result == stored_outcome("embed").result == [["x", 1.5, "s"]]
    run_instead(monkeypatch, tmp_path / "broken.py", "raise SystemExit('the reason')")
    assert measure("embed").error == "failed with exit code 1:\nthe reason"
    assert stored_outcome("embed").result is None


def test_a_model_is_not_measured_without_the_interpreter_of_the_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "_commands", lambda _part: (None, []))
    assert measure("clap").error == "needs the model libraries: run `make models`"


def test_figures_of_pages_above_their_goal_are_marked() -> None:
    figures = {"server, first": 1.5, "server, again": 0.5, "browser, first": 2.4}
    result = {
        "library": {"references": 1000, "targets": 10, "encoders": 5, "runs": 100},
        "pages": {"map": {**figures, "browser, again": 2.6, "kB": 300.0}},
        "memory": {"session": 12.3, "caches, all pages": 100.0},
        "load": 17.0,
    }
    section = browser_table.section(result)
    assert "| map | **1.50** | 0.50 | 2.40 | **2.60** | 300 |" in section
    assert "12 MB more than an idle one" in section
    assert "Not measured." in browser_table.section(None)


def test_the_page_shows_results_and_names_parts_without_a_result() -> None:
    outcomes = dict.fromkeys([*PIPELINE, HISTORY, *MODELS, BROWSER], NOT_MEASURED)
    outcomes["embed"] = Outcome([["embedding", 63.21, "s/CPU-s"]], seconds=31.4)
    text = page(outcomes)
    assert "| embedding | 63.2 | s/CPU-s |" in text
    assert "Duration of each part, in seconds: embed 31." in text
    assert "Not measured: ingest, stream, exact_search, retrieve" in text
    assert "clap, " in text.rpartition("Not measured:")[2]


@pytest.mark.usefixtures("fresh_database")
def test_a_long_history_is_measured_early_late_and_pruned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(long_history, "RUNS_AFTER_PRUNE", 2)
    figures = long_history.measure(runs=12, early=2, references=15, targets=2, runs_per_revision=2)
    assert list(figures) == ["run 2", "run 12", "pruned"]
    early, late, pruned = (figures[point]["table_bytes"] for point in figures)
    assert late["embedding"] > early["embedding"]
    assert pruned["run_hub"] < late["run_hub"]
    for point in figures.values():
        assert {"ingest", "retrieve", "report"} < set(point["stage_seconds"])
        assert {"overview", "history", "sql"} < set(point["page_seconds"])
    table = history_table.section(figures)
    assert "| table and its indexes | run 2, MB | run 12, MB | pruned, MB |" in table
    assert "| report | " in table
    assert "| history | " in table


@pytest.mark.slow
def test_an_interrupted_measurement_of_a_large_library_continues(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(million, "PROJECT", short_folder)
    monkeypatch.setattr(million, "DIMENSIONS", {"one": 3, "other": 4})
    monkeypatch.setattr(million, "BATCH", 15)
    monkeypatch.setattr(million.search, "run", lambda references: [("search", references, "")])
    monkeypatch.setenv("REFERENCES", "20")
    monkeypatch.setenv("MIRPIPE_HOME", "")  # It is set by the measurement, and restored afterwards.
    commands = {"lists": ["retrieve"], "stops": ["unknown"]}
    monkeypatch.setattr(million, "_COMMANDS", commands)
    with pytest.raises(RuntimeError, match="mirpipe unknown failed"):
        million.run()
    monkeypatch.setattr(
        million, "_COMMANDS", {"lists": ["unknown"], "digest": ["verify", "--digest"]}
    )
    rows = {name: value for name, value, _ in million.run()}
    assert rows["search"] == 20
    assert rows["lists"] > 0
    assert rows["digest: the command, peak memory"] > 10
    assert rows["lists: written to the server's log"] > 0

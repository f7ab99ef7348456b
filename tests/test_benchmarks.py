"""Tests for `make bench`: the stored results, the errors and the generated page."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks import browser_table, history_table, long_history, million, parts, scale_table
from benchmarks.__main__ import page
from benchmarks.parts import BROWSER, HISTORY, MODELS, PIPELINE, Outcome, measure, stored_outcome
from benchmarks.scale_table import BEGIN, END
from mirpipe.db.engine import engine

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


def test_long_parts_show_their_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source = "import sys\nprint('a step', file=sys.stderr)\nprint('[]')"
    run_instead(monkeypatch, tmp_path / "steps.py", source)
    for part in ("growth", "embed"):
        assert measure(part).result == []
    assert capfd.readouterr().err == "a step\n"


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
    shown = page(outcomes)
    assert "| embedding | 63.2 | s/CPU-s |" in shown
    assert "Duration of each part, in seconds: embed 31." in shown
    assert "Not measured: ingest, stream, exact_search, retrieve" in shown
    assert "clap, " in shown.rpartition("Not measured:")[2]


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
    monkeypatch.setattr(million, "BATCH", 60)
    monkeypatch.setattr(million.search, "run", lambda references: [("search", references, "")])
    monkeypatch.setenv("MIRPIPE_HOME", "")  # It is set by the measurement, and restored afterwards.
    steps = million.STEPS
    stops = {"lists": million.Step(["retrieve"]), "stops": million.Step(["unknown"])}
    monkeypatch.setattr(million, "STEPS", stops)
    with pytest.raises(RuntimeError, match="mirpipe unknown failed"):
        million.measure(100, 3)
    monkeypatch.setattr(million, "STEPS", {"lists": million.Step(["unknown"]), **steps})
    rows = {name: value for name, value, _ in million.measure(100, 3)}
    assert {"lists", "search", "size of the database", *steps} < {*rows}
    assert rows["lists: written to the server's log"] > 0
    memory = [value for name, value in rows.items() if "the command, peak memory" in name]
    assert min(memory) > 10
    assert len({round(value) for value in memory}) > 1, "not the memory of this process"
    (home,) = short_folder.glob("var/bench/library-100-3/home")
    with million.kept_server(home), engine("reader").connect() as connection:
        read = text("SELECT count(*) FROM mirpipe.track_file WHERE reason IS NOT NULL")
        assert connection.execute(read).scalar_one() == 0, "ingest reads no unchanged file"
        left = text("SELECT count(*) FROM mirpipe.fingerprint_change WHERE track_id % 100 = 0")
        assert connection.execute(left).scalar_one() == 0, "the fingerprints were compared"
        vectors = text("SELECT count(*) FROM mirpipe.embedding WHERE collection = 'reference'")
        assert connection.execute(vectors).scalar_one() == 2 * 101, "one per cent was added"


def test_the_page_on_scale_states_each_law_and_what_ten_million_need() -> None:
    sizes = [10_000, 30_000, 100_000, 300_000]
    grows = [("retrieve", 2 + n / 10_000, "s") for n in sizes]
    result = {
        str(n): [row, ("sort", n**1.5 / 1e6, "s"), ("memory", 150.0, "MB")]
        for n, row in zip(sizes, grows, strict=True)
    }
    section = scale_table.with_tables(f"# Scale\n{BEGIN}old{END}Hours.", result)
    assert section.startswith("# Scale\n")
    assert section.endswith("Hours.")
    assert "old" not in section
    assert "| retrieve, s | 3 | 5 | 12 | 32 | 2 + 100 per million | 1,002 |" in section
    assert "| sort, s | 1 | 5.2 | 31.6 | 164 | grows with n^1.50 | 31,623 |" in section
    assert "| memory, MB | 150 | 150 | 150 | 150 | constant | 150 |" in section

"""`mirpipe gate`: verdicts, exit codes, stored rows and the JUnit file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from tests.operations.gate.judged_library import JudgedLibrary
from tests.support.databases import Database

MEAN = "{name: melody, check: mean, metric: aligned_melody, encoder: made_up, at_least: %s}"
STORED = "SELECT run_id, rule, verdict, judged_at FROM mirpipe.v_gate ORDER BY number"

Judge = Callable[..., dict[str, Any]]


@pytest.fixture
def library(fresh_database: Database) -> JudgedLibrary:
    library = JudgedLibrary(fresh_database)
    library.publish()
    return library


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Return a function that writes rules to a file and returns the verdicts as JSON."""

    def judge(*rules: str, exit_code: int) -> dict[str, Any]:
        file = tmp_path / "weekly.yml"
        file.write_text("rules:\n" + "".join(f"  - {rule}\n" for rule in rules))
        result = CliRunner().invoke(app, ["gate", str(file), "--json"])
        assert result.exit_code == exit_code, result.output
        return dict(json.loads(result.output))

    return judge


@pytest.mark.parametrize(
    ("rule", "exit_code", "value", "detail"),
    [
        (MEAN % 0.5, 0, 0.81, "Mean aligned melody of made_up over 6 targets: 0.8100 ["),
        (MEAN % 0.9, 1, 0.81, "Mean aligned melody of made_up over 6 targets: 0.8100 ["),
        (MEAN % 0.81, 2, 0.81, "Mean aligned melody of made_up over 6 targets: 0.8100 ["),
        (MEAN.replace("made_up", "other") % 0, 2, None, "The latest run has no mean of"),
        ("{name: c, check: coverage, encoder: made_up, at_least: 1}", 0, 1, "100.00% of the"),
        ("{name: c, check: coverage, encoder: other, at_least: 1}", 2, None, "The encoder other"),
        ("{name: f, check: findings}", 1, 2, "2 findings about the audio."),
        ("{name: f, check: findings, severity: warning}", 1, 1, "1 finding about the audio."),
        ("{name: f, check: findings, collection: target}", 0, 0, "0 findings about the audio."),
        ("{name: f, check: findings, kind: level, at_most: 1}", 0, 1, "1 finding about"),
        ("{name: p, check: pending, stage: embed}", 1, 1, "1 pending item."),
        ("{name: p, check: pending, stage: embed, plugin: made_up}", 1, 1, "1 pending item."),
        ("{name: p, check: pending, stage: score, plugin: made_up}", 2, None, "No plug-in made_up"),
        ("{name: p, check: pending, plugin: other}", 2, None, "No plug-in other has worked"),
        ("{name: a, check: age, at_most_hours: 1}", 0, pytest.approx(0, abs=1), "The results of"),
    ],
)
def test_each_check_has_a_verdict_and_an_exit_code(
    library: JudgedLibrary, judge: Judge, rule: str, exit_code: int, value: object, detail: str
) -> None:
    library.execute(
        "INSERT INTO mirpipe.finding SELECT track_id, n, "
        "CASE n WHEN 0 THEN 'level' ELSE 'clipping' END, "
        "CASE n WHEN 0 THEN 'info' ELSE 'warning' END, NULL, 'text' "
        "FROM mirpipe.track, generate_series(0, 1) n WHERE title = 'bad'"
    )
    if "pending" in rule:
        library.add("reference", "not embedded yet")
    result = judge(rule, exit_code=exit_code)
    assert result["verdict"] == ["passed", "failed", "undecided"][exit_code]
    [verdict] = result["rules"]
    assert verdict["value"] == (value if value is None else pytest.approx(value))
    assert verdict["detail"].startswith(detail)


def test_old_results_fail(library: JudgedLibrary, judge: Judge) -> None:
    library.execute("UPDATE mirpipe.run SET confirmed_at = now() - interval '25 hours'")
    [verdict] = judge("{name: a, check: age, at_most_hours: 24}", exit_code=1)["rules"]
    assert verdict["detail"] == "The results of run 1 were confirmed 25.0 hours ago."


def test_a_gate_fails_if_one_rule_fails_and_another_is_undecided(
    library: JudgedLibrary, judge: Judge
) -> None:
    rules = ["{name: c, check: coverage, encoder: other, at_least: 1}", MEAN % 0.9]
    assert judge(*rules, exit_code=1)["verdict"] == "failed"
    assert judge(rules[0], "{name: p, check: findings}", exit_code=2)["verdict"] == "undecided"


def test_a_second_call_changes_nothing_and_removed_rules_are_deleted(
    library: JudgedLibrary, judge: Judge
) -> None:
    judge(MEAN % 0.5, "{name: f, check: findings}", exit_code=0)
    first = library.rows(STORED)
    assert [row[:3] for row in first] == [(1, "melody", "passed"), (1, "f", "passed")]
    judge(MEAN % 0.5, "{name: f, check: findings}", exit_code=0)
    assert library.rows(STORED) == first
    judge(MEAN % 0.9, exit_code=1)
    [(_, rule, verdict, judged_at)] = library.rows(STORED)
    assert (rule, verdict) == ("melody", "failed")
    assert judged_at > first[0][3]


def test_a_verdict_that_changes_between_two_runs_is_kept_beside_the_earlier_one(
    library: JudgedLibrary, judge: Judge
) -> None:
    rules = [MEAN % 0.5, "{name: a, check: age, at_most_hours: 24}"]
    stored = "SELECT run_id, judgement, rule, verdict FROM mirpipe.v_gate ORDER BY 2, number"
    age = "UPDATE mirpipe.run SET confirmed_at = now() - make_interval(hours => :hours)"
    for hours, exit_code in ((0, 0), (25, 1), (26, 1), (1, 0)):
        library.execute(age, hours=hours)
        judge(*rules, exit_code=exit_code)
    assert library.rows(stored) == [
        *((1, 1, "melody", "passed"), (1, 1, "a", "passed")),
        *((1, 2, "melody", "passed"), (1, 2, "a", "failed")),
        *((1, 3, "melody", "passed"), (1, 3, "a", "passed")),
    ]
    [detail] = library.rows("SELECT detail FROM mirpipe.v_gate WHERE verdict = 'failed'")
    assert "26.0 hours ago" in detail[0]
    # Another rule is no other result, so it replaces the last judgement only.
    judge(MEAN % 0.9, exit_code=1)
    assert [row[1:] for row in library.rows(stored)[4:]] == [(3, "melody", "failed")]


def test_each_run_keeps_its_verdicts_and_the_digest_does_not_change(
    library: JudgedLibrary, judge: Judge
) -> None:
    judge(MEAN % 0.5, exit_code=0)
    library.new_model("r2", targets_at_bad=6)
    library.publish()
    with open_snapshot("app") as connection:
        before = combined(digests(connection))
    judge(MEAN % 0.5, exit_code=1)
    assert [row[:3] for row in library.rows(STORED)] == [
        (1, "melody", "passed"),
        (2, "melody", "failed"),
    ]
    with open_snapshot("app") as connection:
        assert combined(digests(connection)) == before


def test_prune_deletes_the_verdicts_of_past_runs_only_after_the_retention_time(
    library: JudgedLibrary, judge: Judge
) -> None:
    judge(MEAN % 0.5, exit_code=0)
    library.new_model("r2", targets_at_bad=6)
    library.publish()
    judge(MEAN % 0.5, exit_code=1)
    library.execute("UPDATE mirpipe.run SET finished_at = finished_at - interval '10 days'")
    prune(settings())
    assert len(library.rows(STORED)) == 2
    prune(settings().model_copy(update={"keep_history_days": 5}))
    assert [row[:3] for row in library.rows(STORED)] == [(2, "melody", "failed")]


def test_without_a_run_every_rule_is_undecided(fresh_database: Database, judge: Judge) -> None:
    result = judge(MEAN % 0.5, exit_code=2)
    assert (result["run_id"], result["verdict"]) == (None, "undecided")


def test_a_table_and_a_junit_file_show_the_verdicts(library: JudgedLibrary, tmp_path: Path) -> None:
    file, junit = tmp_path / "weekly.yml", tmp_path / "gate.xml"
    undecided = "{name: c, check: coverage, encoder: other, at_least: 1}"
    file.write_text(
        f"rules:\n  - {MEAN % 0.9}\n  - {{name: f, check: findings}}\n  - {undecided}\n"
    )
    result = CliRunner().invoke(app, ["gate", str(file), "--junit", str(junit)])
    assert result.exit_code == 1
    assert "gate weekly on run 1: failed" in result.output
    assert "≥ 0.9" in result.output
    suite = ElementTree.parse(junit).getroot()
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "errors")} == {
        **{"name": "weekly", "tests": "3", "failures": "1", "errors": "1"}
    }
    cases = {case.get("name"): case for case in suite}
    assert [child.tag for case in cases.values() for child in case] == [
        *("failure", "system-out", "error"),
    ]
    failure = cases["melody"].find("failure")
    assert failure is not None
    assert "over 6 targets" in str(failure.get("message"))


def test_a_junit_file_that_cannot_be_written_is_no_failed_rule(
    library: JudgedLibrary, tmp_path: Path
) -> None:
    file, junit = tmp_path / "weekly.yml", tmp_path / "none" / "gate.xml"
    file.write_text(f"rules:\n  - {MEAN % 0.5}\n")
    result = CliRunner().invoke(app, ["gate", str(file), "--junit", str(junit)])
    assert result.exit_code == 3
    assert result.stderr == (
        f"mirpipe: Cannot write {junit}: No such file or directory. Choose another file.\n"
    )
    assert library.rows(STORED) == []

"""Tests for `mirpipe doctor`: one line per finding, and an exit code for scripts."""

import json
from collections.abc import Iterable

import pytest
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.errors import DatabaseError
from mirpipe.operations.doctor import all_checks
from mirpipe.operations.doctor.finding import Finding, ok, warning


def healthy() -> Iterable[Finding]:
    yield ok("first", "well")
    yield warning("second", "so so [x]", "look")


def broken() -> Iterable[Finding]:
    raise ZeroDivisionError("oh\nno")


def unreachable() -> Iterable[Finding]:
    raise DatabaseError("no connection; start it")


def doctor(monkeypatch: pytest.MonkeyPatch, *options: str, **checks: object) -> tuple[int, str]:
    monkeypatch.setattr(all_checks, "CHECKS", checks)
    result = CliRunner().invoke(app, ["doctor", *options])
    return result.exit_code, result.stdout


def test_each_finding_is_a_line_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(monkeypatch, healthy=healthy)
    assert output.splitlines() == ["ok       first: well", "warning  second: so so [x] → look"]
    assert code == 0


def test_a_check_that_fails_is_a_problem_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, output = doctor(monkeypatch, odd=broken, db=unreachable, healthy=healthy)
    assert code == 1
    assert output.splitlines()[:2] == [
        "problem  odd: this check failed: ZeroDivisionError: oh no"
        " → report this line as a mirpipe bug",
        "problem  db: no connection; start it",
    ]
    assert len(output.splitlines()) == 4


def test_findings_are_printed_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(monkeypatch, "--json", healthy=healthy)
    assert code == 0
    assert json.loads(output)[0] == {
        "check": "first",
        "level": "ok",
        "message": "well",
        "remedy": "",
    }

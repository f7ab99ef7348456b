"""`mirpipe doctor`: every finding a line, and the exit status for scripts."""

import json
from collections.abc import Iterable

import pytest
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.errors import DatabaseError
from mirpipe.operations.doctor import all_checks as module
from mirpipe.operations.doctor.finding import Finding, ok, warning


def well() -> Iterable[Finding]:
    yield ok("first", "well")
    yield warning("second", "so so [x]", "look")


def falls_over() -> Iterable[Finding]:
    raise ZeroDivisionError("oh\nno")


def unreachable() -> Iterable[Finding]:
    raise DatabaseError("no connection; start it")


def doctor(monkeypatch: pytest.MonkeyPatch, *options: str, **checks: object) -> tuple[int, str]:
    monkeypatch.setattr(module, "CHECKS", checks)
    result = CliRunner().invoke(app, ["doctor", *options])
    return result.exit_code, result.stdout


def test_a_finding_is_a_line_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = doctor(monkeypatch, well=well)
    assert said.splitlines() == ["ok       first: well", "warning  second: so so [x] → look"]
    assert code == 0


def test_a_check_that_fails_is_a_problem_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, said = doctor(monkeypatch, odd=falls_over, db=unreachable, well=well)
    assert code == 1
    assert said.splitlines()[:2] == [
        "problem  odd: could not be checked: ZeroDivisionError: oh no"
        " → report this, with the line itself",
        "problem  db: no connection; start it",
    ]
    assert len(said.splitlines()) == 4


def test_findings_are_told_to_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = doctor(monkeypatch, "--json", well=well)
    assert code == 0
    assert json.loads(said)[0] == {
        "check": "first",
        "level": "ok",
        "message": "well",
        "remedy": "",
    }

"""`mirpipe evaluate`: what it does and prints."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from mirpipe.cli import evaluate as command
from tests.stages.answers import Answers
from tests.support.databases import Database


@pytest.fixture(autouse=True)
def _one_answer(fresh_database: Database) -> None:
    answers = Answers(fresh_database)
    answers.answer(answers.track("target", "t", [0, 1]), answers.track("reference", "r", [0, 2]))


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.evaluate)
    return CliRunner().invoke(app, arguments)


def test_what_is_missing_is_made_and_the_second_time_nothing() -> None:
    first, second = run("--json"), run("--json")

    # accuracy and its best key; two frames are too few for chance
    assert json.loads(first.stdout) == {"measured": 2, "undefined": 4}
    assert json.loads(second.stdout) == {"measured": 0, "undefined": 0}
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_without_json_a_sentence() -> None:
    assert run().stdout.splitlines() == ["measured 2, undefined 4"]

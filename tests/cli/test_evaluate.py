"""Tests for `mirpipe evaluate`: results and output."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from mirpipe.cli import evaluate as command
from tests.stages.synthetic_matches import SyntheticMatches
from tests.support.databases import Database


@pytest.fixture(autouse=True)
def _one_match(fresh_database: Database) -> None:
    library = SyntheticMatches(fresh_database)
    target = library.add_with_melody("target", "t", [0, 1])
    library.add_matches(target, library.add_with_melody("reference", "r", [0, 2]))


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.evaluate)
    return CliRunner().invoke(app, arguments)


def test_first_run_computes_missing_numbers_and_second_run_none() -> None:
    first, second = run("--json"), run("--json")

    # The four numbers are the accuracy, the accuracy in the best key, the offset and the accuracy
    # at the offset. Two frames are too few for a comparison with chance.
    assert json.loads(first.stdout) == {"measured": 4, "undefined": 4, "same_recordings": 0}
    assert json.loads(second.stdout) == {"measured": 0, "undefined": 0, "same_recordings": 0}
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_counts_are_printed_on_one_line_without_json() -> None:
    assert run().stdout.splitlines() == ["measured 4, undefined 4, same_recordings 0"]

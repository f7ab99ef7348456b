"""What `mirpipe report` says about an empty library."""

from typer.testing import CliRunner

from mirpipe.cli.main import app
from tests.support.databases import Database


def test_a_run_without_results_says_so(fresh_database: Database) -> None:
    first = CliRunner().invoke(app, ["report"])
    assert first.exit_code == 0, first.output
    assert "no results yet: there are no targets with references" in first.stdout
    assert first.stdout.endswith("published run 1, which has no results\n")
    again = CliRunner().invoke(app, ["report"])
    assert again.stdout.endswith("nothing changed since run 1\n")

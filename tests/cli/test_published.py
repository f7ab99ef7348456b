"""Tests for `mirpipe published`: output and exit codes."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.published.printed_lines import FOLDER
from tests.support.databases import Database


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["published", *words])


def test_first_import_prints_the_changed_rows_and_second_import_no_changes(
    fresh_database: Database,
) -> None:
    assert json.loads(run("import", "--json").stdout)["published_retrieval"] == 27
    second = run("import")
    assert (second.exit_code, second.stdout) == (
        0,
        "no changes: the database already contains these tables\n",
    )


def test_a_wrong_file_exits_3_and_names_the_line(fresh_database: Database, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "other")
    file = tmp_path / "other" / "generation.csv"
    file.write_text(file.read_text().replace("0.234", "2.34"))
    result = run("import", str(tmp_path / "other"))
    assert result.exit_code == 3
    assert "generation.csv, line 3: clap" in result.stderr


def test_show_prints_each_number_next_to_the_recomputed_one(fresh_database: Database) -> None:
    assert "mirpipe published import" in run("show").stderr
    run("import")
    lines = run("show").stdout.splitlines()
    muq = next(line for line in lines if "MuQ" in line and "cosine" in line and "mean" in line)
    assert "0.802" in muq
    assert "0.8026" in muq
    assert len(json.loads(run("show", "--json").stdout)) == 40

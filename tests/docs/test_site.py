"""Tests that the site builds without a warning and that its generated pages are up to date."""

import subprocess
import sys
from pathlib import Path

import pytest

from mirpipe.settings import PROJECT
from tests.support.databases import Database
from tools import write_reference_docs

DOCS = PROJECT / "docs"


def test_the_site_builds_and_no_link_is_broken(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "tutorial" / "index.html").is_file()


@pytest.mark.parametrize("page", ["commands", "settings"])
def test_a_page_is_as_the_code_says(page: str) -> None:
    made = {"commands": write_reference_docs.commands, "settings": write_reference_docs.settings}[
        page
    ]()
    written = (DOCS / "reference" / f"{page}.md").read_text()
    assert written == made, "run `make reference`"


def test_the_page_of_tables_is_as_the_database_says(fresh_database: Database) -> None:
    with fresh_database.owner.connect() as connection:
        made = write_reference_docs.tables(connection)
    assert (DOCS / "reference" / "tables.md").read_text() == made, "run `make reference`"


def test_every_setting_says_what_it_is() -> None:
    from mirpipe.settings import Settings

    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_decision_is_listed() -> None:
    listed = (DOCS / "adr" / "index.md").read_text()
    written = {page.name for page in (DOCS / "adr").glob("0*.md")}
    assert {name for name in written if f"]({name})" not in listed} == set()

"""Fixtures for the migration tests."""

import shutil
from pathlib import Path

import pytest

from mirpipe.db.schema_files import MIGRATIONS
from tests.migrations.revision_0010 import load_revision_0010
from tests.support.databases import Database


@pytest.fixture
def demo(fresh_database: Database) -> Database:
    """Return a database at revision 0010 with the demo library."""
    load_revision_0010(fresh_database)
    return fresh_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the migrations folder that the test can change."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=ignored))

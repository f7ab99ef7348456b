"""Fixtures for the migration tests."""

import shutil
from pathlib import Path

import pytest

from mirpipe.db.schema_files import MIGRATIONS
from tests.migrations.revision_0010 import load_revision_0010
from tests.support.databases import Database, DatabasePool


@pytest.fixture
def demo(fresh_database: Database, database_pool: DatabasePool) -> Database:
    """Return a database at revision 0010 with the demo library."""
    return database_pool.fill(fresh_database, _demo)


def _demo(database: Database, _folder: Path) -> Database:
    load_revision_0010(database)
    return database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the migrations folder that the test can change."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=ignored))

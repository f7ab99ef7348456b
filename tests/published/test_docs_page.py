"""Tests that the page docs/published.md agrees with the database."""

import pytest

from mirpipe.errors import MirpipeError
from mirpipe.published.docs_page import page
from mirpipe.published.load_tables import load
from mirpipe.settings import PROJECT
from tests.support.databases import Database


def test_the_committed_page_is_up_to_date(fresh_database: Database) -> None:
    load()
    committed = (PROJECT / "docs" / "published.md").read_text()
    assert committed == page(), "run `mirpipe published page > docs/published.md`"


def test_the_page_requires_an_import(fresh_database: Database) -> None:
    with pytest.raises(MirpipeError, match="mirpipe published import"):
        page()

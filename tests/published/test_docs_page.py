"""The page of the published tables is what the database says."""

import pytest

from mirpipe.errors import MirpipeError
from mirpipe.published.docs_page import page
from mirpipe.published.load_tables import load
from mirpipe.settings import PROJECT
from tests.support.databases import Database


def test_the_committed_page_is_the_one_that_is_made(fresh_database: Database) -> None:
    load()
    written = (PROJECT / "docs" / "published.md").read_text()
    assert written == page(), "run `mirpipe published page > docs/published.md`"


def test_there_is_no_page_before_an_import(fresh_database: Database) -> None:
    with pytest.raises(MirpipeError, match="mirpipe published import"):
        page()

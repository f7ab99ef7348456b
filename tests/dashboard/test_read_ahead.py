"""The slowest results of a new run are read before anybody opens a page."""

import pytest
import streamlit as st

from dashboard.data import current_state
from dashboard.data.read_ahead import read_new_results
from mirpipe.db.engine import close_engines
from mirpipe.settings import settings
from tests.dashboard.open_page import drawn_page, page
from tests.support.databases import Database

PAGES = ("overview", "retrieval", "generation", "listen", "map", "quality")
LOOKUP = "track_id = ANY(%(track_ids)s)"
"""Part of the statements that ask for given tracks."""


@pytest.fixture(autouse=True)
def _unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that the database has not changed, because its statistics lag behind."""
    monkeypatch.setattr(current_state, "_change_mark", lambda: "unchanged")


def sent(statements: list[str]) -> set[str]:
    """Return the statements that read whole tables, and forget them."""
    found = {each for each in statements if LOOKUP not in each}
    statements.clear()
    return found


def draw_pages() -> None:
    for name in PAGES:
        drawn_page(name)


def test_pages_take_from_the_cache_what_was_read_ahead(
    complete: Database, statements: list[str]
) -> None:
    read_new_results(None)
    ahead = sent(statements)
    assert len(ahead) > 10
    draw_pages()
    assert not sorted(ahead & sent(statements))


def test_only_what_a_page_shows_is_read_ahead(complete: Database, statements: list[str]) -> None:
    draw_pages()
    needed = sent(statements)
    st.cache_data.clear()
    read_new_results(None)
    assert sent(statements) <= needed


def test_a_run_is_read_once(complete: Database, statements: list[str]) -> None:
    seen = read_new_results(None)
    assert seen is not None
    sent(statements)
    assert read_new_results(seen) == seen
    assert not sent(statements)


def test_an_unreachable_database_is_left_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    close_engines()
    assert read_new_results(None) is None
    assert "cannot be read" in page("overview").error[0].value
    close_engines()

"""Tests of the caches: a page that is drawn again reads nothing from an unchanged database."""

import pytest

from dashboard.data import current_state
from mirpipe.db import queries
from tests.dashboard.example_library import fail
from tests.dashboard.open_page import HOSTILE, link, page
from tests.support.databases import Database

PAGES = (
    *("overview", "retrieval", "generation", "listen", "tracks", "map", "hubs", "listening"),
    *("history", "quality", "failures", "track", "search", "sql"),
)
ALLOWED = (
    "pg_stat_user_tables",  # The mark that shows whether the database has changed.
    "pg_roles",  # The SQL page checks each time that its role can only read.
)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_drawn_again_reads_nothing(
    complete: Database, statements: list[str], name: str
) -> None:
    address = {
        "track": {"track": link(complete, HOSTILE)},
        "search": {"q": "apple"},
        "map": {"track": link(complete, HOSTILE)},
        "overview": {"changes": "true"},
    }
    app = page(name, **address.get(name, {}))
    statements.clear()
    app.run()
    assert [each for each in statements if not any(word in each for word in ALLOWED)] == []


@pytest.mark.parametrize("part", ["trends", "gates", "published"])
def test_a_part_of_history_that_is_drawn_again_reads_nothing(
    complete: Database, statements: list[str], part: str
) -> None:
    app = page("history", part=part)
    statements.clear()
    app.run()
    assert [each for each in statements if not any(word in each for word in ALLOWED)] == []


def test_a_change_is_read(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = iter(["1", "1", "2"])
    monkeypatch.setattr(current_state, "_change_mark", lambda: next(marks))
    before = current_state.read(queries.failures_n)
    with filled.app.begin() as connection:
        fail(connection, stage="ingest", subject="/x", reason="silent", message="", retry=False)
    assert current_state.read(queries.failures_n) == before == 0
    assert current_state.read(queries.failures_n) == 1


def test_a_function_whose_name_is_not_unique_is_refused() -> None:
    with pytest.raises(ValueError, match="lambda"):
        current_state.read(lambda: 1)

"""Tests of the pages with the library of the browser benchmark, whose rows must reach them."""

from pathlib import Path

import pytest
from streamlit.testing.v1.element_tree import Selectbox

from benchmarks import browser
from benchmarks.page_rows import LibrarySize
from dashboard.components.searched_choices import LISTED
from mirpipe.db import queries
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.settings import settings
from tests.dashboard.open_page import html, page
from tests.support.databases import Database, DatabasePool

TARGETS, ENCODERS = 1_100, 1


@pytest.fixture
def large(fresh_database: Database, database_pool: DatabasePool) -> Database:
    """A library with more targets than a selector contains."""
    return database_pool.fill(fresh_database, _large)


def _large(database: Database, _folder: Path) -> Database:
    library = LibrarySize(references=1_200, targets=TARGETS, encoders=ENCODERS, runs=3, dimension=2)
    browser.write_rows(library, embedded_server(settings().home), database.name)
    return database


def test_every_page_has_the_rows_that_the_benchmark_measures(large: Database) -> None:
    run = queries.latest_run()
    assert run is not None
    assert sum(run.changes.values()) > 200
    assert all(len(target.title) > 30 for target in queries.targets())
    assert len(page("overview", changes="true").dataframe[0].value) == 200
    assert len(page("history").dataframe[0].value) == 200
    listening = page("listening")
    assert "What do listeners prefer?" in [header.value for header in listening.header]
    _, _, link = browser.ADDRESSES["track of a clip"].partition("?track=")
    clip, _, collection = link.partition("&in=")
    track = page("track", **{"track": clip, "in": collection})
    assert "What was it generated from?" in [header.value for header in track.header]


def test_targets_are_searched_on_the_server_and_the_chosen_one_stays_listed(
    large: Database,
) -> None:
    app = page("listen")
    first = app.selectbox(key="target")
    assert len(first.options) == LISTED
    app = app.text_input(key="target_words").set_value("1099 TARGET").run()
    found = app.selectbox(key="target")
    title = "target 1099 of a synthetic library"
    assert sorted(found.options) == sorted([title, shown_title(first)])
    assert found.value == first.value
    app = found.select(title).run()
    assert shown_title(app.selectbox(key="target")) == title
    linked = page("listen", target=app.selectbox(key="target").value)
    assert shown_title(linked.selectbox(key="target")) == title
    assert len(linked.selectbox(key="target").options) == LISTED + 1


def test_tracks_on_a_map_are_searched_on_the_server(large: Database) -> None:
    app = page("map")
    assert len(app.selectbox(key="map_track").options) == LISTED
    app = app.text_input(key="map_words").set_value("target 1099").run()
    [title] = app.selectbox(key="map_track").options
    app = app.selectbox(key="map_track").select(app.selectbox(key="map_track").options[0]).run()
    assert "target 1099" in html(app)
    app = app.text_input(key="map_words").set_value("no such title").run()
    assert app.selectbox(key="map_track").options == [title]


def shown_title(selectbox: Selectbox) -> str:
    """Return the displayed name of the choice of a selector."""
    return str(selectbox.format_func(selectbox.value))

"""Tests of all pages that show matches: the same recording as the target is marked."""

import pytest
import streamlit as st

from mirpipe.db import queries
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.open_page import html, link, page
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

BADGE = "<span class='mp-badge'>same recording</span>"


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library in which the best match of `original` is the same recording."""
    library = SyntheticLibrary(fresh_database.app)
    tags = {"album": "Dances", "artist": "Band", "genre": "folk"}
    copy = library.add("reference", "copy", [1, 0, 0], labels=tags)
    library.add("reference", "second track", [1, 0.5, 0], labels=tags)
    library.add("reference", "elsewhere", [0, 1, 0], labels={"genre": "folk"})
    original = library.add("target", "original", [1, 0.1, 0], labels=tags)
    library.add("target", "other", [0, 1, 0.1], labels={"genre": "folk"})
    library.add_same_recording(original, copy)
    retrieve()
    report(trigger="test")
    return library


def test_the_retrieval_page_counts_and_marks_them(library: SyntheticLibrary) -> None:
    app = page("retrieval")
    sentence = (
        "1 match is the same recording as its target and is marked and left out of P@k, MRR, mAP "
        "and all averages over matches."
    )
    assert sentence in html(app)
    table = app.dataframe[0].value
    rows = table[["target", "reference", "relation"]].fillna("").to_numpy().tolist()
    assert rows == [
        ["original", "copy", "same recording"],
        ["original", "second track", ""],
        ["other", "elsewhere", ""],
    ]


def test_a_library_without_them_says_nothing(library: SyntheticLibrary) -> None:
    library.execute("DELETE FROM mirpipe.same_recording")
    report(trigger="test")
    st.cache_data.clear()
    app = page("retrieval")
    assert "same recording as its target" not in html(app)
    assert "relation" not in app.dataframe[0].value
    assert queries.same_recordings().matches_n == 0


def test_the_listen_page_marks_them(library: SyntheticLibrary, fresh_database: Database) -> None:
    shown = html(page("listen", target=link(fresh_database, "original")))
    assert shown.count(BADGE) == 1
    assert f">copy</bdi></a> {BADGE}" in shown


def test_the_hubs_page_marks_them_and_has_the_filters(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    app = page("hubs", target=link(fresh_database, "original"), label="genre")
    shown = html(app)
    assert f">copy</bdi></a> {BADGE}" in shown
    notes = "\n".join(element.value for element in app.caption)
    assert "because they are the same recording as the query: 1." in notes
    [expander] = [each for each in app.expander if "albums and artists" in each.label]
    assert not expander.proto.expanded
    [table] = [each.value for each in expander.get("html") if "<table" in each.value]
    for name in ("no filter", "without the album", "without the artist"):
        assert name in table
    # Two targets count, and one of them has an album.
    assert table.count("2 (1)") == 2

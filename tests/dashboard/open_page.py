"""Helpers that open a dashboard page in a test, and a description of the example library."""

import re

import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from mirpipe.settings import PROJECT
from tests.dashboard.example_library import Model, Piece
from tests.support.databases import Database

DEMO = PROJECT / "demo"
HOSTILE = "**x** <b>$a$</b> :smile: [l](http://x)"
SHOWN = "**x** &lt;b&gt;$a$&lt;/b&gt; :smile: [l](http://x)"
PIECES = (
    Piece("target", HOSTILE, DEMO / "target/Jazz 120 BPM.ogg", labels={"genre": "<i>jazz</i>"}),
    Piece("target", "تجربة", DEMO / "target/Country 114 BPM.ogg", voiced=False),
    Piece("target", "long gone"),
    Piece("reference", "康定情歌（古筝）", DEMO / "reference/康定情歌（古筝）.ogg"),
    Piece("reference", HOSTILE, DEMO / "reference/Egypt.ogg"),
    Piece("reference", "apple", DEMO / "reference/West.ogg", format="AIFF"),
    Piece("reference", "drums", DEMO / "reference/funk_80.ogg", voiced=False),
)
MODELS = (
    Model("musicnn", 0.8, 0.1, licence_weights="CC-BY-NC-SA-4.0"),
    Model("untrained", 0.99, 0.001, is_random=True),
)


def page(name: str, **query: str) -> AppTest:
    """Return the page after its first run. Fail the test if the page shows a traceback.

    The caches are emptied before, because a test may have changed the database.
    """
    st.cache_data.clear()
    return drawn_page(name, **query)


def drawn_page(name: str, **query: str) -> AppTest:
    """Return the page like `page`, with the caches as they are."""
    app = AppTest.from_file(str(PROJECT / "dashboard/app.py"), default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    if name != "overview":
        app.switch_page(f"views/{name}/{name}.py")
    app.run()
    # The title of the page of a track is the title of the track.
    heading = app.title[0].value.lower() if app.title else name * ("<h1 " in html(app))
    assert heading.startswith(name) or app.error
    assert not app.exception
    return app


def html(app: AppTest) -> str:
    """Return the complete HTML text of a page."""
    return "\n".join(element.value for element in app.html)


def answer_of(app: AppTest) -> str:
    """Return the answer of a page as plain text."""
    answer = html(app).partition("<p class='mp-answer'>")[2].partition("</p>")[0]
    return re.sub("<[^>]*>|[\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}]", "", answer)


def chart_is_before_table(app: AppTest, table: str) -> bool:
    """Return whether the first chart of a page is above the table with this name."""
    drawn = list(app.main)
    charts = [place for place, element in enumerate(drawn) if element.type == "vega_lite_chart"]
    tables = [
        place
        for place, element in enumerate(drawn)
        if element.type == "html" and f"aria-label='{table}'" in element.value
    ]
    return charts[0] < tables[0]


def link(database: Database, title: str) -> str:
    """Return the text that identifies the target with this title in links."""
    query = (
        "SELECT content_sha256 FROM mirpipe.v_library WHERE title = :t AND collection = 'target'"
    )
    with database.reader.connect() as connection:
        return str(connection.execute(text(query), {"t": title}).scalar_one())[:16]

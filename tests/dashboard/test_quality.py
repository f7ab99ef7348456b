"""Tests of the Quality page: findings and their filters."""

import re

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.views.quality import copies
from tests.dashboard.open_page import answer_of, html, page
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

TRACK = (
    "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, state) "
    "VALUES ('reference', sha256('a'), 'one', 60, -20, 'ok') RETURNING track_id"
)
FINDINGS = (
    "INSERT INTO mirpipe.finding VALUES (:track, 0, 'damage', 'warning', 12.3, 'It is damaged.'), "
    "(:track, 1, 'dc_offset', 'info', NULL, 'The offset is -0.1 (take 1-2).')"
)
OFFSET = "The offset is −0.1 (take 1-2)."


def finding_column(app: AppTest, heading: str) -> list[str]:
    """Return the cells of a column of the findings as text, or nothing if it is not shown."""
    shown = html(app).partition("aria-label='Findings'")[2].partition("</table>")[0]
    rows = [
        [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in re.split("</t[hd]>", row)]
        for row in shown.split("<tr>")[1:]
    ]
    headings, *lines = rows
    return [line[headings.index(heading)] for line in lines if heading in headings]


def test_findings_are_shown_and_filtered(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        track = connection.execute(text(TRACK)).scalar_one()
    assert "There are no findings." in page("quality").info[0].value
    with fresh_database.app.begin() as connection:
        connection.execute(text(FINDINGS), {"track": track})
    st.cache_data.clear()
    app = page("quality")
    assert (
        "href='quality?kind=damage'><bdi>damage</bdi></a> <span class='mp-muted'>warning<"
        in html(app)
    )
    assert "href='quality?kind=DC+offset'><bdi>DC offset</bdi></a>" in html(app)
    assert app.multiselect(key="kind").options == ["damage", "DC offset"]
    assert answer_of(app).endswith("for 1 track. No copies are known.")
    assert finding_column(app, "at") == ["12.3 s", "–"]
    assert finding_column(app, "finding") == ["It is damaged.", OFFSET]
    app.multiselect(key="kind").set_value(["dc_offset"]).run()
    assert finding_column(app, "track") == ["one reference"]
    assert finding_column(app, "kind") == ["DC offset"]
    assert not finding_column(app, "at"), "a column without any number is shown"
    assert finding_column(app, "finding") == [OFFSET]
    app.multiselect(key="collection").set_value(["target"]).run()
    assert "matches" in app.info[0].value


def test_many_findings_have_pages(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        track = connection.execute(text(TRACK)).scalar_one()
        connection.execute(
            text(
                "INSERT INTO mirpipe.finding SELECT :track, n, CASE WHEN n < 10 THEN 'silence' "
                "ELSE 'damage' END, 'warning', n, 'x' FROM generate_series(0, 449) n"
            ),
            {"track": track},
        )
    app = page("quality")
    assert finding_column(app, "at") == [f"{second}.0 s" for second in range(10, 210)]
    app.number_input(key="page").set_value(3).run()
    seconds = [*range(410, 450), *range(10)]
    assert finding_column(app, "at") == [f"{second}.0 s" for second in seconds]
    app.multiselect(key="kind").set_value(["silence"]).run()
    assert finding_column(app, "at") == [f"{second}.0 s" for second in range(10)]
    assert not app.number_input


def test_tracks_with_the_same_recording_are_listed_in_pages(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = "No track is known to contain the same recording as another one."
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "alone", [0, 1, 0])
    app = page("quality")
    assert none in [line.value for line in app.markdown]
    assert answer_of(app) == ""
    for name in "ab":
        original = library.add("target", f"original {name}", [1, 0, 0])
        library.add_same_recording(original, library.add("reference", f"copy {name}", [1, 0, 0]))
    app = page("quality")
    assert answer_of(app) == "There are 2 groups of copies: tracks with the same recording."
    shown = html(app).partition("aria-label='Same recordings'")[2]
    assert re.findall("<th>([^<]*)", shown)[:2] == ["track", "group"]
    assert "<td>same recording</td>" in shown
    assert shown.count("href='track?") == 4
    monkeypatch.setattr(copies, "GROUPS_PER_PAGE", 1)
    app = page("quality", copies_page="2")
    assert none not in [line.value for line in app.markdown]
    shown = html(app).partition("aria-label='Same recordings'")[2]
    assert shown.count("<td>2</td>") == 2
    assert "original b" in shown
    assert "original a" not in shown


def test_titles_from_tags_in_a_guessed_encoding_are_listed(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        track = connection.execute(text(TRACK)).scalar_one()
        connection.execute(
            text(
                "INSERT INTO mirpipe.track_file (collection, path, path_text, track_id, bytes, "
                "mtime_ns, undecoded_tags, tag_encoding, tag_encoding_guessed) VALUES "
                "('reference', '/a', '/a', :track, 1, 1, '{\"title\": [\"x\"]}', 'gb18030', true)"
            ),
            {"track": track},
        )
    assert len(page("quality").dataframe) == 0  # The title does not come from the tags.
    with fresh_database.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track SET labels_from = 'tags'"))
    st.cache_data.clear()
    (table,) = page("quality").dataframe
    assert list(table.value["track"]) == ["one"]
    assert list(table.value["guessed encoding"]) == ["gb18030"]


def test_many_guessed_titles_have_pages(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        track = connection.execute(text(TRACK)).scalar_one()
        connection.execute(text("UPDATE mirpipe.track SET labels_from = 'tags'"))
        connection.execute(
            text(
                "INSERT INTO mirpipe.track_file (collection, path, path_text, track_id, bytes, "
                "mtime_ns, undecoded_tags, tag_encoding, tag_encoding_guessed) "
                "SELECT 'reference', convert_to('/' || n, 'UTF8'), '/' || n, :track, 1, 1, "
                "'{\"title\": [\"x\"]}', 'gb18030', true FROM generate_series(100, 349) n"
            ),
            {"track": track},
        )
    app = page("quality", guessed_page="2")
    assert list(app.dataframe[0].value["path"]) == [f"/{n}" for n in range(300, 350)]
    app.number_input(key="guessed_page").set_value(1).run()
    assert list(app.dataframe[0].value["path"]) == [f"/{n}" for n in range(100, 300)]

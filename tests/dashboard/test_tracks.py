"""Tests of the Tracks page: search, filters, order and pages, and links to the tracks."""

import re
from pathlib import Path

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from tests.dashboard.example_library import Piece, track
from tests.dashboard.open_page import SHOWN, drawn_page, html, link, page
from tests.support.databases import Database


def rows(app: AppTest) -> list[str]:
    """Return the rows of the table as HTML."""
    return html(app).partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]


def test_an_empty_library_names_the_next_command(fresh_database: Database) -> None:
    assert any("mirpipe ingest" in code.value for code in page("tracks").code)


def test_every_track_is_listed_with_a_link(filled: Database) -> None:
    app = page("tracks")
    assert len(rows(app)) == 7
    assert "The library contains 4 references and 3 targets." in html(app)
    assert "7 tracks." in [element.value for element in app.markdown]
    assert f"href='track?track={link(filled, 'تجربة')}&amp;in=target'" in html(app)
    assert html(app).count(f"<bdi>{SHOWN} (") == 2  # The titles are equal, so paths are added.


def test_the_search_and_the_filters_are_in_the_address(filled: Database) -> None:
    (row,) = rows(page("tracks", search="情歌"))
    assert "康定情歌（古筝）" in row
    assert len(rows(page("tracks", collection="target"))) == 3
    app = page("tracks", collection="target", search="no such words")
    assert "No track matches" in app.info[0].value
    app.text_input(key="search").set_value("تجر").run()
    assert len(rows(app)) == 1


def test_the_state_and_its_reason_are_shown(filled: Database) -> None:
    with filled.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track SET state = 'gone' WHERE title = 'drums'"))
        rejected = "UPDATE mirpipe.track SET state = 'rejected', reason = 'silent' WHERE title = "
        connection.execute(text(f"{rejected}'apple'"))
    app = page("tracks", state="gone")
    app.multiselect(key="state").set_value(["gone", "rejected"]).run()
    apple, drums = rows(app)
    assert "rejected: silent" in apple
    assert ">gone<" in drums


def test_tracks_without_audio_can_be_listed(filled: Database) -> None:
    app = page("tracks")
    assert not app.toggle, "all tracks have audio"
    with filled.owner.begin() as connection:
        without = "UPDATE mirpipe.track SET has_audio = false WHERE title = 'drums'"
        connection.execute(text(without))
    app = page("tracks")
    assert len(rows(app)) == 7
    app.toggle(key="without_audio").set_value(True).run()
    (drums,) = rows(app)
    assert "drums" in drums
    (drums,) = rows(page("tracks", without_audio="true"))
    assert "No track matches" in page("tracks", without_audio="true", search="apple").info[0].value


def test_texts_are_searched_once_for_all_pages_and_orders(
    filled: Database, statements: list[str]
) -> None:
    assert "West" in html(page("tracks", search="ogg"))
    assert sum("LIKE ANY" in statement for statement in statements) == 1
    statements.clear()
    assert "West" in html(drawn_page("tracks", search="ogg", sort="added"))
    assert sum("sorted_by" in statement for statement in statements) == 1
    assert not any("LIKE ANY" in statement for statement in statements)


def test_the_order_is_marked_in_the_heading(filled: Database) -> None:
    ascending, descending = page("tracks"), page("tracks", order="descending")
    assert ">title ▲<" in html(ascending)
    assert ">title ▼<" in html(descending)
    assert rows(descending) == rows(ascending)[::-1]


def test_a_large_library_has_pages(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        for number in range(101):
            track(connection, Piece("reference", f"n{number:03d}", f"/music/{number}.ogg"))
    app = page("tracks", page="3")
    assert [row.partition("<bdi>")[2].partition("<")[0] for row in rows(app)] == ["n100"]
    app.text_input(key="search").set_value("n00").run()
    assert len(rows(app)) == 10
    app.text_input(key="search").set_value("").run()
    assert app.number_input(key="page").value == 1
    assert len(rows(app)) == 50
    assert len(rows(page("tracks", page="99"))) == 50


def test_columns_that_are_empty_on_the_page_are_left_out(filled: Database) -> None:
    def headings(app: AppTest) -> list[str]:
        return re.findall(r"<th[^>]*>([^<]*)</th>", html(app))

    assert headings(page("tracks")) == ["title ▲", "genre, instrument, work", "length", "path"]
    sorted_by_tempo = headings(page("tracks", sort="tempo"))
    assert "tempo (BPM) ▲" in sorted_by_tempo, "the order is not marked in any column"
    with filled.owner.begin() as connection:
        connection.execute(text('UPDATE mirpipe.track SET labels = \'{"album": "Hits"}\''))
    assert "artist and album" in headings(page("tracks", collection="target"))


def test_a_narrow_window_shows_tempo_and_key_below_the_title(filled: Database) -> None:
    assert "<small class='mp-phone'>" not in html(page("tracks"))
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "WITH f AS (INSERT INTO mirpipe.metric (name, revision, spec) "
                "VALUES ('features', 'f', '{}') RETURNING metric_id) "
                "INSERT INTO mirpipe.track_feature (metric_id, track_id, tempo_bpm, key, "
                "beat_seconds, voiced_fraction, notes, onsets_per_second, brightness_hz, reasons) "
                "SELECT metric_id, track_id, 119.7, 'Eb major', '{}', 1, '', 1, 1, '{}' "
                "FROM f, mirpipe.track"
            )
        )
    shown = html(page("tracks", measure="key"))
    assert "<small class='mp-phone'>120 BPM · E♭ major</small>" in shown
    assert "<bdi>E♭ major</bdi>" in shown, "the chart writes keys in another way"
    assert "Eb major" not in shown


def counts(app: AppTest) -> list[str]:
    """Return the numbers of the chart."""
    (chart,) = re.findall(r"<ul class='mp-bars'.*?</ul>", html(app))
    return re.findall(r"<span class='mp-number'>([^<]*)", chart)


def test_the_chart_counts_the_listed_tracks(fresh_database: Database) -> None:
    genres = ("jazz", "jazz", "a <b>", None)
    with fresh_database.app.begin() as connection:
        for number, genre in enumerate(genres):
            labels = {"genre": genre} if genre else {}
            piece = Piece("reference", f"tune {number}", Path(f"/{number}.ogg"), labels=labels)
            track(connection, piece)
        connection.execute(text("UPDATE mirpipe.track SET seconds = 40 WHERE title = 'tune 3'"))
    app = page("tracks")
    assert app.segmented_control(key="measure").options == ["genre", "length"]
    assert "href='tracks?search=jazz&amp;measure=genre'><bdi>jazz</bdi>" in html(app)
    assert "<bdi>a &lt;b&gt;</bdi>" in html(app)
    assert counts(app) == ["2", "1"]
    assert "Without a value: 1." in [caption.value for caption in app.caption]
    app.text_input(key="search").set_value("jazz").run()
    assert counts(app) == ["2"]
    assert counts(page("tracks", measure="length"))[-1] == "1"

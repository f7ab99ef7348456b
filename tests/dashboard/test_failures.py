"""Tests of the Failures page: the failure ledger and the filters."""

import re

from tests.dashboard.example_library import fail
from tests.dashboard.open_page import html, page
from tests.support.databases import Database


def test_the_ledger_is_shown_and_filtered(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        for reason in ("silent", "not_audio"):
            subject = f"/music/{reason} **静音**.wav"
            fail(
                connection,
                stage="ingest",
                subject=subject,
                reason=reason,
                message=f"{subject} is {reason}",
                retry=False,
            )
    app = page("failures")
    assert list(app.dataframe[0].value["retried"]) == ["no, bad input"] * 2
    assert "There are 2 failures, and the next run tries none of them again." in html(app)
    assert "After you have replaced a file, run mirpipe ingest on its folder again" in html(app)
    assert "items</th>" not in html(app)
    assert sorted(app.dataframe[0].value["reason"]) == ["not audio", "silent"]
    assert "plug-in" not in app.dataframe[0].value, "an empty column is shown"
    assert "<td>not_audio" not in html(app), "a code is shown instead of words"
    linked = page("failures", reason="not_audio")
    assert list(linked.dataframe[0].value["reason"]) == ["not audio"]
    app.multiselect(key="reason").set_value(["silent"]).run()
    app.text_input(key="search").set_value("静音").run()
    assert list(app.dataframe[0].value["item"]) == ["/music/silent **静音**.wav"]
    app.text_input(key="search").set_value("100%").run()
    assert "matches" in app.info[0].value


def test_the_chart_shows_the_most_frequent_reasons_first_and_links_to_their_failures(
    fresh_database: Database,
) -> None:
    failures = [("embed", "decode_error", True), *[("ingest", "not_audio", False)] * 2]
    with fresh_database.app.begin() as connection:
        for number, (stage, reason, retry) in enumerate(failures):
            subject = f"/music/{number}.wav"
            fail(connection, stage=stage, subject=subject, reason=reason, message="", retry=retry)
    shown = html(page("failures"))
    chart = shown.partition("aria-label='Failures by stage and reason'")[2].partition("</ul>")[0]
    names, numbers = re.findall("<bdi>(.*?)</bdi>", chart), re.findall("mp-number'>([^<]*)", chart)
    assert names == ["ingest: not audio", "embed: decode error"]
    assert numbers == ["2", "1"]
    assert re.findall("mp-muted'>([^<]*)", chart) == ["not tried again: bad input", "tried again"]
    assert "href='failures?stage=ingest&amp;reason=not+audio'" in chart
    places = [
        shown.index(part) for part in ("<p class='mp-answer'", "<ul class='mp-bars'", "<table")
    ]
    assert places == sorted(places)
    linked = page("failures", stage="ingest", reason="not audio")
    assert len(linked.dataframe[0].value) == 2


def test_different_messages_are_complete_and_no_track_is_offered_without_one(
    fresh_database: Database,
) -> None:
    message = f"{'It is damaged. ' * 20}Replace the file and run `mirpipe ingest` again."
    with fresh_database.app.begin() as connection:
        for number in range(3):
            fail(
                connection,
                stage="ingest",
                subject=f"/music/{number}.wav",
                reason="truncated",
                message=message,
                retry=False,
            )
    app = page("failures")
    messages = html(app).partition("aria-label='Messages'")[2]
    assert messages.count("Replace the file") == 1
    assert f"<bdi>{message}</bdi></div></td><td class='mp-number'>3</td>" in messages
    assert not app.selectbox, "there is no track to open"


def test_many_failures_have_pages(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        for number in range(230):
            fail(
                connection,
                stage="ingest",
                subject=f"/music/{number:03}.wav",
                reason="truncated" if number % 10 else "silent",
                message="It cannot be used.",
                retry=False,
            )
    app = page("failures", page="2")
    paths = [f"/music/{number:03}.wav" for number in range(230)]
    assert list(app.dataframe[0].value["item"]) == paths[200:]
    app.multiselect(key="reason").set_value(["silent"]).run()
    assert list(app.dataframe[0].value["item"]) == paths[::10]
    app.multiselect(key="reason").set_value([]).run()
    assert list(app.dataframe[0].value["item"]) == paths[:200], "the first page of another choice"

"""Tests of the Overview page: library, growth, encoders and runs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from sqlalchemy import text
from typer.testing import CliRunner

from dashboard.views.overview import changed_matches
from dashboard.views.overview.pending_work import work_rates
from mirpipe.cli.main import app
from mirpipe.db import queries
from mirpipe.orchestration.home_lock import hold_lock, record_file
from mirpipe.settings import settings
from tests.dashboard.example_clips import Maker, describe, make
from tests.dashboard.example_library import fill
from tests.dashboard.open_page import (
    DEMO,
    MODELS,
    PIECES,
    answer_of,
    chart_is_before_table,
    html,
    page,
)
from tests.operations.gate.judged_library import TARGETS, JudgedLibrary
from tests.support.databases import Database


def test_tracks_and_pending_work_are_counted(filled: Database) -> None:
    shown = html(page("overview"))
    assert "<dt>references</dt><dd>4</dd>" in shown
    assert "<dt>targets</dt><dd>3</dd>" in shown
    assert ">pending</a></dt>" in shown
    (pending,) = [row.items for row in queries.pending_work() if row.plugin == "musicnn"]
    usable = sum(row.tracks for row in queries.library_counts() if row.state == "ok")
    done = f"<td class='mp-number'>{usable - pending} of {usable} tracks</td>"
    assert f"<td>embed</td><td>musicnn</td>{done}" in shown


def test_pending_work_that_decreases_has_a_time_left(filled: Database) -> None:
    work_rates.clear()
    assert ">about " not in html(page("overview"))
    work = queries.pending_work()
    for seconds, factor in ((120, 3), (60, 2)):
        earlier = {(row.stage, row.plugin): factor * row.items for row in work}
        work_rates().observe(time.monotonic() - seconds, earlier)
    assert ">about " in html(app := page("overview"))
    assert any("A run is doing this work now." in caption.value for caption in app.caption)


@pytest.fixture
def running_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home folder that looks like that of a running `mirpipe up`."""
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    settings.cache_clear()
    record_file(tmp_path).write_text("{}")
    with hold_lock(tmp_path):
        yield


def test_without_a_running_up_the_page_names_the_command_that_does_the_work(
    filled: Database,
) -> None:
    work_rates.clear()
    assert any("run `mirpipe run`" in caption.value for caption in page("overview").caption)


def test_beside_a_running_up_the_page_names_no_command(filled: Database, running_up: None) -> None:
    work_rates.clear()
    captions = [caption.value for caption in page("overview").caption]
    assert any("`mirpipe up` is running" in caption for caption in captions)
    assert not any("mirpipe run" in caption for caption in captions)


def test_an_empty_library_beside_a_running_up_asks_for_nothing(
    fresh_database: Database, running_up: None
) -> None:
    app = page("overview")
    assert "`mirpipe up` is running" in app.info[0].value
    assert len(app.code) == 0


def test_a_first_run_of_a_running_up_is_waited_for(
    fresh_database: Database, running_up: None
) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    with fresh_database.owner.begin() as connection:
        connection.execute(text("TRUNCATE mirpipe.run CASCADE"))
    app = page("overview")
    assert "No run has finished yet" in app.info[0].value
    assert any("`mirpipe up` is running" in line.value for line in app.markdown)
    assert len(app.code) == 0


def test_encoders_have_revision_dimension_coverage_and_licences(filled: Database) -> None:
    shown = html(page("overview"))
    row = shown[shown.index("musicnn</bdi></span></td>") :].partition("</tr>")[0]
    for cell in (
        "<td>active</td>",
        "<code>r1</code>",
        "<td class='mp-number'>4</td>",
        "<td class='mp-number'>0.0%</td>",
        "weights.onnx",
    ):
        assert cell in row
    assert "CC-BY-NC-SA-4.0" in row


def test_the_page_starts_with_what_the_last_run_changed(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
        connection.execute(
            text("UPDATE mirpipe.run SET trigger = 'asset_triggered__2026-01-02T03:04:05Z_x'")
        )
    shown = html(page("overview"))
    assert "Run 1 compared 3 targets with 4 references and found the first 6 best" in shown
    assert "new data" in shown
    assert "asset_triggered" not in shown


def test_the_page_starts_with_what_the_last_run_found(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in ("RETRIEVAL", "GENERATION"):
        monkeypatch.setenv(f"MIRPIPE_PRIMARY_{task}_METRIC", "melody_accuracy")
    settings.cache_clear()
    start = "Run 1 compared 3 targets with 4 references and found the first 6 best matches. "
    without_clips = answer_of(page("overview"))
    found = without_clips.removeprefix(start)
    assert found.startswith("The best matches by musicnn have a mean melody accuracy of ")
    assert answer_of(page("retrieval")).startswith(found)
    with filled.app.begin() as connection:
        describe(connection)
        sound = DEMO / "target/Jazz 120 BPM.ogg"
        make(connection, (Maker("maker", seeds=2),), tmp_path, sound)
    with_clips = answer_of(page("overview"))
    found = with_clips.removeprefix(f"{without_clips} ")
    assert found.startswith("The clips by maker in the mode")
    assert answer_of(page("generation")).startswith(found)


def test_the_growth_of_the_library_is_above_the_tables(filled: Database) -> None:
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.run (trigger, state_digest, library) "
                "VALUES ('made up', '2', '{\"reference ok\": 9, \"target ok\": 3}')"
            )
        )
    assert chart_is_before_table(page("overview"), "Library")


def test_the_large_numbers_link_to_the_work_and_the_failures(filled: Database) -> None:
    app = page("overview")
    assert "<dt><a href='#pending'>pending</a></dt>" in html(app)
    assert "pending" in [header.proto.anchor for header in app.header]
    assert "href='failures'" in html(app)
    links = [link.proto.page for link in app.get("page_link")]
    assert "history" in links


def test_growth_chart_needs_two_runs(filled: Database) -> None:
    assert len(page("overview").get("vega_lite_chart")) == 0
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.run (trigger, state_digest, library) "
                "VALUES ('made up', '2', '{\"reference ok\": 9, \"target ok\": 3}')"
            )
        )
    assert len(page("overview").get("vega_lite_chart")) == 1


def test_best_matches_that_the_last_run_changed_are_listed_when_the_list_is_opened(
    filled: Database,
) -> None:
    assert len(page("overview").dataframe) == 0
    changed = page("overview", changes="true").dataframe[0].value
    assert set(changed["encoder"]) == {"musicnn", "untrained"}
    assert set(changed["cause"]) == {"first match"}


def test_changed_best_matches_are_read_and_sent_in_pages(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changed_matches, "ROWS_PER_PAGE", 4)
    app = page("overview", changes="true", page="2")
    second = app.dataframe[0].value
    first = app.number_input(key="page").set_value(1).run().dataframe[0].value
    assert (len(first), len(second)) == (4, 2)
    assert not pd.concat([first, second])[["target", "encoder"]].duplicated().any()


def test_a_write_changes_the_mark_and_nothing_else_does(filled: Database) -> None:
    run_and_flush_statistics(filled, "UPDATE mirpipe.track SET title = title")
    assert queries.change_mark() == (before := queries.change_mark())
    run_and_flush_statistics(filled, "DELETE FROM mirpipe.failure")
    assert queries.change_mark() == before, "the table was already empty"
    run_and_flush_statistics(
        filled, "UPDATE mirpipe.track SET title = title WHERE collection = 'target'"
    )
    assert queries.change_mark() != before


def run_and_flush_statistics(database: Database, statement: str) -> None:
    """Run the statement, and make the database server update its statistics immediately."""
    with database.owner.connect() as connection:
        connection.exec_driver_sql(statement)
        connection.commit()
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
        connection.commit()


def test_a_waiting_revision_is_shown_with_its_verdict_in_the_words_of_the_command(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION", "manual")
    settings.cache_clear()
    library = JudgedLibrary(fresh_database)
    library.publish()
    assert "Waiting revisions" not in html(page("overview"))
    library.new_model("r2", targets_at_bad=TARGETS)
    library.publish()
    st.cache_data.clear()
    shown = html(page("overview"))
    assert "not compared yet" in shown
    assert "active until the configured revision takes over" in shown
    result = CliRunner().invoke(app, ["compare", "made_up", "--margin", "aligned_melody=0.1"])
    st.cache_data.clear()
    shown = html(page("overview"))
    assert "<strong>worse</strong>" in shown
    assert "aligned_melody=0.1" in shown
    for sentence in queries.challengers()[0].sentences:
        assert sentence in shown
        assert sentence in " ".join(result.stdout.split())

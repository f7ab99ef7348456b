"""What Overview says of the library, its growth, its encoders and its runs."""

from sqlalchemy import text

from mirpipe.db import queries
from tests.dashboard.pages import page, written
from tests.support.databases import Database


def test_the_library_is_counted_and_the_work_that_waits(filled: Database) -> None:
    shown = written(page("overview"))
    assert "<dt>references</dt><dd>4</dd>" in shown
    assert "<dt>targets</dt><dd>3</dd>" in shown
    assert "<dt>pending</dt>" in shown
    assert "<td>embed</td><td>musicnn</td>" in shown


def test_encoders_have_revision_dimension_and_licences(filled: Database) -> None:
    shown = written(page("overview"))
    row = shown[shown.index("musicnn</bdi></td>") :].partition("</tr>")[0]
    for cell in ("answers", "<code>r1</code>", "<td class='mp-number'>4</td>", "weights.onnx"):
        assert cell in row
    assert "CC-BY-NC-SA-4.0" in row


def test_growth_is_drawn_from_the_second_run_on(filled: Database) -> None:
    assert len(page("overview").get("vega_lite_chart")) == 0
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.run (trigger, state_digest, library) "
                "VALUES ('made up', '2', '{\"reference ok\": 9, \"target ok\": 3}')"
            )
        )
    assert len(page("overview").get("vega_lite_chart")) == 1


def test_what_the_last_run_changed_is_listed(filled: Database) -> None:
    changed = page("overview").dataframe[0].value
    assert set(changed["encoder"]) == {"musicnn", "stand-in"}
    assert set(changed["cause"]) == {"first answer"}


def test_work_is_counted_anew_when_something_was_written_and_not_before(filled: Database) -> None:
    flushed(filled, "UPDATE mirpipe.track SET title = title")
    assert queries.written() == (before := queries.written())
    flushed(filled, "DELETE FROM mirpipe.failure")
    assert queries.written() == before, "nothing was there to delete"
    flushed(filled, "UPDATE mirpipe.track SET title = title WHERE collection = 'target'")
    assert queries.written() != before


def flushed(database: Database, statement: str) -> None:
    """Runs the statement, and has the server count at once what it wrote."""
    with database.owner.connect() as connection:
        connection.exec_driver_sql(statement)
        connection.commit()
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
        connection.commit()

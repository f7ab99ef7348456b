"""Tests of the SQL page: results, errors, examples and view descriptions."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.views.sql import cookbook_questions
from mirpipe.db.engine import close_engines
from mirpipe.db.queries import user_sql
from mirpipe.settings import settings
from tests.dashboard.open_page import html, page
from tests.support.databases import Database


def test_an_empty_query_field_says_what_to_do(fresh_database: Database) -> None:
    assert "Choose an example" in page("sql").info[0].value


def run(query: str) -> AppTest:
    """Return the page after a click on Run."""
    return page("sql", sql=query).button[0].click().run()


def test_a_link_fills_in_its_query_and_a_click_runs_it(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "SELECT rank, count(*), count(*) FROM v_retrieval GROUP BY rank"
    queries_run = []
    run_query = user_sql.run_query
    monkeypatch.setattr(
        user_sql, "run_query", lambda query: queries_run.append(query) or run_query(query)
    )
    app = page("sql", sql=query)
    assert app.text_area(key="sql").value == query
    assert "press Run" in app.info[0].value
    assert (queries_run, len(app.dataframe)) == ([], 0)

    app.button[0].click().run()
    table = app.dataframe[0].value
    assert list(table.columns) == ["rank", "count", "count (2)"]
    assert set(table["count"]) == {6}
    assert any("4 rows" in element.value for element in app.caption)
    app.selectbox(key="view").set_value("v_library").run()
    assert len(app.dataframe) == 1
    assert queries_run == [query], "the choice of a view ran the query again"

    app.selectbox(key="example").set_value(next(iter(cookbook_questions.questions()))).run()
    assert len(app.dataframe) == 0, "the answer to another query is shown"
    assert queries_run == [query], "the choice of an example ran its query"


def test_an_error_of_postgres_is_shown_literally(filled: Database) -> None:
    app = run("SELECT nope FROM v_retrieval")
    assert 'column "nope" does not exist' in app.code[0].value


def test_another_statement_than_select_is_refused(filled: Database) -> None:
    app = run("DELETE FROM mirpipe.run")
    assert app.code[0].value.startswith("Only SELECT can be asked here")


def test_a_complete_result_has_no_warning(filled: Database) -> None:
    app = run("SELECT generate_series(1, 1000) AS n")
    assert (len(app.dataframe[0].value), len(app.warning)) == (1000, 0)


@pytest.mark.parametrize(
    ("query", "rows", "sentence"),
    [
        ("SELECT generate_series(1, 1001)", 1000, "There are more rows than are shown here."),
        (
            "SELECT repeat('x', 9000) FROM generate_series(1, 1000)",
            user_sql.MAX_BYTES // 9000,
            "There are more rows, but only the first 4 MB are shown here.",
        ),
        (
            "SELECT repeat('x', 60000000)",
            1,
            "Long values were cut to 10,000 characters (1 in total).",
        ),
    ],
)
def test_a_result_that_was_cut_says_so_and_how_to_get_everything(
    filled: Database, query: str, rows: int, sentence: str
) -> None:
    app = run(query)
    assert len(app.dataframe[0].value) == rows
    (warning,) = app.warning
    assert warning.value.startswith(sentence)
    assert "`mirpipe db psql --csv" in warning.value
    assert "`mirpipe export`" in warning.value


def test_without_a_login_that_can_only_read_the_page_is_off(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIRPIPE_READER_URL")
    settings.cache_clear()
    close_engines()
    app = page("sql", sql="SELECT 1")
    assert app.warning[0].value == "The SQL page is off."
    assert "the login mirpipe_app has the privileges of mirpipe_app" in app.text[0].value
    assert "`mirpipe db provision`" in app.text[0].value
    assert len(app.text_area) == 0
    assert len(app.button) == 0


def test_columns_of_a_view_are_explained(fresh_database: Database) -> None:
    shown = html(page("sql", view="v_retrieval"))
    assert "<code>melody_accuracy</code><small>double precision</small>" in shown
    assert "Share of frames with the same pitch class" in shown


def test_every_example_of_the_cookbook_runs(filled: Database) -> None:
    app = page("sql")
    examples = cookbook_questions.questions()
    assert len(examples) > 10
    name = "Which tracks are most similar to this one?"
    app.selectbox(key="example").set_value(name).run()
    assert app.text_area(key="sql").value == examples[name]
    assert not app.exception
    for query in examples.values():
        user_sql.run_query(query)


def test_without_the_cookbook_there_are_no_examples(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cookbook_questions, "PAGE", Path("/nowhere/sql-cookbook.md"))
    app = page("sql")
    assert [element.label for element in app.selectbox] == [app.selectbox(key="view").label]

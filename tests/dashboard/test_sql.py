"""Tests of the SQL page: results, errors, examples and view descriptions."""

from pathlib import Path

import pytest

from dashboard.views.sql import cookbook_questions
from mirpipe.db.queries import user_sql
from tests.dashboard.open_page import html, page
from tests.support.databases import Database


def test_an_empty_query_field_says_what_to_do(fresh_database: Database) -> None:
    assert "Choose an example" in page("sql").info[0].value


def test_a_link_runs_its_query(filled: Database) -> None:
    app = page("sql", sql="SELECT rank, count(*), count(*) FROM v_retrieval GROUP BY rank")
    table = app.dataframe[0].value
    assert list(table.columns) == ["rank", "count", "count (2)"]
    assert set(table["count"]) == {6}
    assert any("4 rows" in element.value for element in app.caption)


def test_an_error_of_postgres_is_shown_literally(filled: Database) -> None:
    app = page("sql", sql="SELECT nope FROM v_retrieval")
    assert 'column "nope" does not exist' in app.code[0].value


def test_a_result_with_more_rows_than_the_limit_says_so(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page("sql", sql="SELECT generate_series(1, 1001) AS n")
    assert len(app.dataframe[0].value) == user_sql.MAX_ROWS
    assert any("there are more" in element.value for element in app.caption)


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

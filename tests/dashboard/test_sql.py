"""SQL: questions, complaints, examples and the schema beside them."""

from pathlib import Path

import pytest

from dashboard.views.sql import cookbook_questions
from mirpipe.db.queries import user_sql
from tests.dashboard.pages import page, written
from tests.support.databases import Database


def test_an_empty_field_says_what_to_do(fresh_database: Database) -> None:
    assert "Choose an example" in page("sql").info[0].value


def test_a_link_asks_its_question(filled: Database) -> None:
    app = page("sql", sql="SELECT rank, count(*), count(*) FROM v_retrieval GROUP BY rank")
    table = app.dataframe[0].value
    assert list(table.columns) == ["rank", "count", "count (2)"]
    assert set(table["count"]) == {6}
    assert any("4 rows" in one.value for one in app.caption)


def test_a_complaint_is_shown_as_postgres_makes_it(filled: Database) -> None:
    app = page("sql", sql="SELECT nope FROM v_retrieval")
    assert 'column "nope" does not exist' in app.code[0].value


def test_a_cut_answer_says_so(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page("sql", sql="SELECT generate_series(1, 1001) AS n")
    assert len(app.dataframe[0].value) == user_sql.MOST_ROWS
    assert any("there are more" in one.value for one in app.caption)


def test_columns_of_a_view_are_explained(fresh_database: Database) -> None:
    shown = written(page("sql", view="v_retrieval"))
    assert "<code>melody_accuracy</code><small>double precision</small>" in shown
    assert "frame-wise pitch class agreement" in shown


def test_every_example_of_the_cookbook_is_offered_and_can_be_asked(filled: Database) -> None:
    app = page("sql")
    examples = cookbook_questions.questions()
    assert len(examples) > 10
    name = "What is most like this track?"
    app.selectbox(key="example").set_value(name).run()
    assert app.text_area(key="sql").value == examples[name]
    assert not app.exception
    for query in examples.values():
        user_sql.ask(query)


def test_without_the_cookbook_there_are_no_examples(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cookbook_questions, "PAGE", Path("/nowhere/sql-cookbook.md"))
    app = page("sql")
    assert [one.label for one in app.selectbox] == [app.selectbox(key="view").label]

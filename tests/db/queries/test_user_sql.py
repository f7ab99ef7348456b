"""Any question in SQL: what is answered, what is refused, and what a question cannot do."""

import pytest
from sqlalchemy import text

from mirpipe.db.queries.user_sql import BadQuestion, ask
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("fresh_database")


def refused(question: str) -> str:
    with pytest.raises(BadQuestion) as problem:
        ask(question, most_seconds=0.3)
    return str(problem.value)


def test_columns_and_rows_come_as_they_can_be_shown() -> None:
    found = ask(
        "SELECT 1 AS n, 'é%s' AS t, 1.5::numeric AS d, '{\"a\": 1}'::jsonb AS j, ARRAY[1, 2] AS a, "
        "'[1,2]'::vector AS v, '\\x00ff'::bytea AS b, NULL AS nothing;"
    )
    assert found.columns == ["n", "t", "d", "j", "a", "v", "b", "nothing"]
    assert found.rows == [(1, "é%s", 1.5, '{"a": 1}', "[1, 2]", "[1,2]", "00ff", None)]
    assert not found.is_cut


def test_more_rows_than_the_limit_are_cut_and_it_is_said() -> None:
    found = ask("SELECT generate_series(1, 100000000)", most_rows=3)
    assert found.rows == [(1,), (2,), (3,)]
    assert found.is_cut


@pytest.mark.parametrize(
    "question",
    [
        "DELETE FROM mirpipe.run",
        "WITH gone AS (DELETE FROM mirpipe.run RETURNING 1) SELECT * FROM gone",
        "SELECT 1; DELETE FROM mirpipe.run",
        "COPY mirpipe.run TO PROGRAM 'true'",
        "SET statement_timeout = 0",
        "COMMIT",
        "",
    ],
)
def test_anything_but_one_select_is_refused(question: str, fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        connection.execute(
            text("INSERT INTO mirpipe.run (trigger, state_digest, library) VALUES ('t', 'd', '{}')")
        )
    assert refused(question)
    assert ask("SELECT count(*) FROM mirpipe.run").rows == [(1,)]


def test_a_question_cannot_lift_its_time_limit() -> None:
    assert "statement timeout" in refused("SELECT pg_sleep(20)")
    lift = "SELECT set_config('statement_timeout', '0', false), pg_sleep(20)"
    assert "statement timeout" in refused(lift)
    assert ask("SHOW statement_timeout").rows == [("20s",)]


def test_the_complaint_is_postgres_own_and_points_at_the_place() -> None:
    said = refused("SELECT nope\nFROM v_retrieval")
    assert said.startswith('column "nope" does not exist\nLINE 1: SELECT nope\n')
    assert "CONTEXT" not in said

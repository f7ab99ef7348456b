"""User SQL: results, limits, and refused statements."""

import pytest
from sqlalchemy import text

from mirpipe.db.queries.user_sql import QueryFailed, run_query
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("fresh_database")


def error_of(query: str) -> str:
    """Return the error message from a query with a time limit of 0.3 seconds."""
    with pytest.raises(QueryFailed) as error:
        run_query(query, max_seconds=0.3)
    return str(error.value)


def test_values_are_converted_to_what_a_table_can_show() -> None:
    result = run_query(
        "SELECT 1 AS n, 'é%s' AS t, 1.5::numeric AS d, '{\"a\": 1}'::jsonb AS j, ARRAY[1, 2] AS a, "
        "'[1,2]'::vector AS v, '\\x00ff'::bytea AS b, NULL AS nothing;"
    )
    assert result.columns == ["n", "t", "d", "j", "a", "v", "b", "nothing"]
    assert result.rows == [(1, "é%s", 1.5, '{"a": 1}', "[1, 2]", "[1,2]", "00ff", None)]
    assert not result.is_cut


def test_a_result_with_more_rows_than_the_limit_is_cut() -> None:
    result = run_query("SELECT generate_series(1, 100000000)", max_rows=3)
    assert result.rows == [(1,), (2,), (3,)]
    assert result.is_cut


@pytest.mark.parametrize(
    "query",
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
def test_only_one_select_is_allowed(query: str, fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        connection.execute(
            text("INSERT INTO mirpipe.run (trigger, state_digest, library) VALUES ('t', 'd', '{}')")
        )
    assert "SELECT" in error_of(query)
    assert "allowed here" in error_of(query)
    assert run_query("SELECT count(*) FROM mirpipe.run").rows == [(1,)]


def test_a_query_cannot_lift_its_time_limit() -> None:
    message = "The query was stopped, because it may run for at most 0.3 seconds."
    assert error_of("SELECT pg_sleep(20)").startswith(message)
    lift = "SELECT set_config('statement_timeout', '0', false), pg_sleep(20)"
    assert error_of(lift).startswith(message)
    assert run_query("SHOW statement_timeout").rows == [("20s",)]


def test_an_error_in_the_query_has_the_message_of_postgres_and_the_position() -> None:
    message = error_of("SELECT nope\nFROM v_retrieval")
    assert message.startswith('column "nope" does not exist\nLINE 1: SELECT nope\n')
    assert "CONTEXT" not in message

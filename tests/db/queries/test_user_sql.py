"""User SQL: results, limits, and refused statements."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from mirpipe.db.queries import user_sql
from mirpipe.db.queries.limited_cursor import LimitedCursor
from mirpipe.db.queries.user_sql import QueryFailed, run_query
from mirpipe.db.queries.value_limits import MAX_CHARACTERS
from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.support.databases import Database, database


@pytest.fixture(scope="module", autouse=True)
def shared_database(embedded: EmbeddedPostgres) -> Iterator[Database]:
    """Create one database with one run for all tests, which only read."""
    with database(embedded, "user_sql") as created:
        with created.app.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO mirpipe.run (trigger, state_digest, library) "
                    "VALUES ('t', 'd', '{}')"
                )
            )
        yield created


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
    assert result.rows == [(1, "é%s", 1.5, '{"a": 1}', "{1,2}", "[1,2]", "00ff", None)]
    assert (result.reached, result.cut_values) == (None, 0)


def test_a_result_with_more_rows_than_the_limit_is_cut() -> None:
    result = run_query("SELECT generate_series(1, 100000000)", max_rows=3)
    assert result.rows == [(1,), (2,), (3,)]
    assert result.reached == "max_rows"


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO mirpipe.run (trigger) VALUES ('x')",
        "INSERT INTO mirpipe.run (trigger) VALUES ('x') RETURNING 1",
        "UPDATE mirpipe.run SET trigger = 'x' RETURNING 1",
        "DELETE FROM mirpipe.run",
        "MERGE INTO mirpipe.run USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE",
        "WITH gone AS (DELETE FROM mirpipe.run RETURNING 1) SELECT * FROM gone",
        "WITH one AS (SELECT 1) DELETE FROM mirpipe.run",
        "SELECT * FROM mirpipe.run FOR UPDATE",
        "SELECT * INTO copy FROM mirpipe.run",
        "CREATE TABLE copy AS SELECT 1",
        "DO $$ BEGIN END $$",
        "COPY mirpipe.run TO PROGRAM 'true'",
        "COPY mirpipe.run TO STDOUT",
        "SET statement_timeout = 0",
        "SHOW statement_timeout",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM mirpipe.run",
        "EXPLAIN (FORMAT json) DELETE FROM mirpipe.run RETURNING 1",
        "LOCK TABLE mirpipe.run",
        "LISTEN changes",
        "PREPARE one AS SELECT 1",
        "EXECUTE one",
        "DECLARE one CURSOR FOR SELECT 1",
        "FETCH 1 FROM mirpipe_result",
        "VACUUM",
        "COMMIT",
        "SELECT 1; DELETE FROM mirpipe.run",
        "SELECT 1; SELECT 2",
        "-- only a comment",
        "/* only a comment */ ;",
        ";",
        "",
    ],
)
def test_everything_but_one_select_is_refused_with_a_remedy(
    query: str,
) -> None:
    message = error_of(query)
    assert message.startswith("Only SELECT can be asked here")
    assert "`mirpipe db psql`" in message
    assert run_query("SELECT trigger FROM mirpipe.run").rows == [("t",)]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("VALUES (1, 'a'), (2, 'b')", [(1, "a"), (2, "b")]),
        ("TABLE v_retrieval", []),
        ("WITH one AS (SELECT 1) SELECT * FROM one", [(1,)]),
        ("(SELECT 2) UNION SELECT 1 ORDER BY 1 DESC -- a comment; at the end", [(2,), (1,)]),
        ("SELECT 1; -- a comment", [(1,)]),
        ("SELECT 1 ;; /* ; /* nested ; */ ; */ ;\n", [(1,)]),
        (r"""SELECT ';', E'\';', $a$;$$;$a$, $$;$$ AS "x;" ; -- ;""", [(";", "';", ";$$;", ";")]),
        ("SELECT", [()]),
    ],
)
def test_a_select_in_any_form_is_allowed(query: str, rows: list[tuple[object, ...]]) -> None:
    assert run_query(query).rows == rows


def test_a_query_cannot_close_the_parenthesis_around_it() -> None:
    assert "syntax error" in error_of("SELECT 1) a UNION ALL SELECT repeat('x', 9) FROM (SELECT 1")


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each fetched block of rows appends its number of bytes."""
    sizes: list[int] = []

    class Recording(LimitedCursor):
        def fetch(self, rows: int) -> Sequence[tuple[Any, ...]]:
            block = super().fetch(rows)
            sizes.append(sum(len(str(value).encode()) for row in block for value in row))
            return block

    monkeypatch.setattr(user_sql, "LimitedCursor", Recording)
    return sizes


@pytest.mark.parametrize(
    "value",
    [
        "repeat('é', 60000000)",
        "convert_to(repeat('x', 60000000), 'UTF8')",
        "to_jsonb(repeat('x', 60000000))",
        "ARRAY[repeat('x', 60000000)]",
        "ROW(repeat('x', 60000000))",
        "repeat('9', 100000)::numeric",
    ],
)
def test_postgres_cuts_a_huge_value_before_it_sends_it(value: str, received: list[int]) -> None:
    result = run_query(f"SELECT {value}, 1", max_seconds=20)
    ((shown, number),) = result.rows
    assert (len(str(shown)), str(shown)[-1], number) == (MAX_CHARACTERS + 1, "…", 1)
    assert (result.cut_values, result.max_characters) == (1, MAX_CHARACTERS)
    assert sum(received) <= 2 * MAX_CHARACTERS + 10


def test_many_rows_are_read_in_blocks_up_to_the_limit_of_bytes(received: list[int]) -> None:
    query = "SELECT repeat('x', 9000), i FROM generate_series(1, 1000) i"
    result = run_query(query, max_bytes=200_000)
    assert len(result.rows) == 200_000 // 9008
    assert [row[1] for row in result.rows] == list(range(1, 23))
    assert (result.reached, result.cut_values) == ("max_bytes", 0)
    assert max(received) <= 200_000
    assert sum(received) <= 2 * 200_000


def test_a_row_with_many_long_values_is_cut_to_the_limit_of_bytes(received: list[int]) -> None:
    columns = ", ".join(["repeat('é', 100000)"] * 500)
    result = run_query(f"SELECT {columns} FROM generate_series(1, 3)", max_bytes=100_000)
    assert len(result.rows) >= 1
    assert result.cut_values == 500 * len(result.rows)
    assert result.reached == "max_bytes"
    assert max(received) <= 100_000


def test_all_blocks_together_have_one_time_limit() -> None:
    query = "SELECT repeat('x', 100), pg_sleep(0.05) FROM generate_series(1, 100)"
    with pytest.raises(QueryFailed, match=r"at most 0\.3 seconds"):
        run_query(query, max_bytes=1000, max_seconds=0.3)


def test_a_long_error_message_is_cut() -> None:
    assert len(error_of("SELECT repeat('x', 100000)::integer")) < 3000


def test_a_date_that_python_cannot_represent_has_a_remedy() -> None:
    assert "::text" in error_of("SELECT '0044-03-15 BC'::date")


def test_a_query_cannot_lift_its_time_limit() -> None:
    message = "The query was stopped, because it may run for at most 0.3 seconds."
    assert error_of("SELECT pg_sleep(20)").startswith(message)
    lift = "SELECT set_config('statement_timeout', '0', false), pg_sleep(20)"
    assert error_of(lift).startswith(message)
    assert run_query("SELECT current_setting('statement_timeout')", max_seconds=9).rows != [("0",)]


def test_an_error_in_the_query_has_the_message_of_postgres_and_the_position() -> None:
    message = error_of("SELECT nope\nFROM v_retrieval")
    assert message.startswith('column "nope" does not exist\nLINE 1: SELECT nope\n')
    assert "CONTEXT" not in message

"""Runs a user's SQL query: one read-only SELECT with a time limit and a row limit."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2 import errors

from mirpipe.db.engine import engine
from mirpipe.errors import MirpipeError

MAX_ROWS = 1000
"""Maximum number of rows in a result."""
MAX_SECONDS = 20
"""Time after which a query is stopped, in seconds."""
_SHOWN_UNCHANGED = (int, float, str, bool, datetime, date, time, type(None))

# A cursor accepts only one statement, and this statement must return rows. It can neither close the
# cursor nor raise the time limit, because Postgres reads the limit when a statement starts.
_OPEN_CURSOR = """
    DO $$
    DECLARE
        result refcursor := 'mirpipe_result';
    BEGIN
        OPEN result NO SCROLL FOR EXECUTE current_setting('mirpipe.query');
    END $$
"""


class QueryFailed(MirpipeError):
    """Raised if a query returns no result. The message is the cause or Postgres's error message."""


@dataclass(frozen=True)
class QueryResult:
    """The first rows of a result."""

    columns: list[str]
    """Names of the columns. A name can occur several times."""
    rows: list[tuple[Any, ...]]
    is_cut: bool
    """Whether the query returned more rows than are included here."""


def run_query(
    query: str, *, max_rows: int = MAX_ROWS, max_seconds: float = MAX_SECONDS
) -> QueryResult:
    """Run one SELECT statement in a read-only transaction, and return its first rows.

    JSON, arrays and vectors are returned as text, and bytes as hexadecimal digits. Raises
    QueryFailed if the query is not a single SELECT, contains an error, or takes longer than
    `max_seconds`. Raises DatabaseError if the server cannot be reached.
    """
    connection = engine("reader").raw_connection()
    try:
        sql = connection.cursor()
        sql.execute("SET TRANSACTION READ ONLY")
        sql.execute(f"SET LOCAL statement_timeout = {round(max_seconds * 1000)}")
        sql.execute(
            "SELECT set_config('mirpipe.query', %s, true)", [_without_final_semicolon(query)]
        )
        sql.execute(_OPEN_CURSOR)
        sql.execute(f"FETCH {max_rows + 1:d} FROM mirpipe_result")
        rows = [tuple(map(_shown_value, row)) for row in sql.fetchall()]
        columns = [str(column[0]) for column in sql.description or []]
    except psycopg2.Error as error:
        raise QueryFailed(_error_message(error, max_seconds)) from error
    finally:
        connection.rollback()
        connection.close()
    return QueryResult(columns, rows[:max_rows], is_cut=len(rows) > max_rows)


def _without_final_semicolon(query: str) -> str:
    return query.replace("\0", "").strip().rstrip(";")


def _shown_value(value: Any) -> Any:
    """Return the value in a form that a table can show."""
    if isinstance(value, _SHOWN_UNCHANGED):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _error_message(error: psycopg2.Error, max_seconds: float) -> str:
    """Return a message about the limit or the refused statement, or Postgres's own message."""
    if isinstance(error, errors.QueryCanceled):
        return (
            f"The query was stopped, because it may run for at most {max_seconds:g} seconds. "
            "Restrict it, for example with WHERE. For a longer query, use another client (`mirpipe "
            "db url --role reader` prints the address) and raise statement_timeout there."
        )
    if isinstance(error, errors.InvalidCursorDefinition):
        return "The query was not run. Only one SELECT is allowed here. Remove other statements."
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return (
            "The query was not run. Only a SELECT that changes nothing is allowed here. Remove "
            "INSERT, UPDATE, DELETE and FOR UPDATE."
        )
    return _postgres_message(error)


def _postgres_message(error: psycopg2.Error) -> str:
    """Return Postgres's error message, with the position in the query.

    Lines about this module's own statements are left out.
    """
    lines: list[str] = []
    for line in (error.pgerror or str(error)).strip().splitlines():
        if line.startswith(("CONTEXT:", "QUERY:")):
            break
        lines.append(line.removeprefix("ERROR:  "))
    return "\n".join(lines)

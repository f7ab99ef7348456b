"""Runs a user's SQL query: one read-only SELECT with limits on time, rows, bytes and values."""

from dataclasses import dataclass
from typing import Literal

import psycopg2
from psycopg2 import errors

from mirpipe.db.engine import engine
from mirpipe.db.queries.first_statement import first_statement
from mirpipe.db.queries.limited_cursor import LimitedCursor
from mirpipe.db.queries.value_limits import Value, ValueLimits, limits_for, size_in_bytes
from mirpipe.db.reader_login import require_reader_login
from mirpipe.errors import MirpipeError

MAX_ROWS = 1000
"""Maximum number of rows in a result."""
MAX_BYTES = 4 * 2**20
"""Maximum number of bytes of all rows together."""
MAX_SECONDS = 20
"""Time after which a query is stopped, in seconds."""
_MAX_MESSAGE_CHARACTERS = 2000
_ONLY_SELECT = (
    "Only SELECT can be asked here: one statement that changes nothing. VALUES, TABLE and WITH … "
    "SELECT are also allowed. The query was not run. Remove all other statements. To run them, use "
    "`mirpipe db psql` in a terminal, which also accepts EXPLAIN and SHOW."
)


class QueryFailed(MirpipeError):
    """Raised if a query returns no result. The message is the cause or Postgres's error message."""


@dataclass(frozen=True)
class QueryResult:
    """The first rows of a result."""

    columns: list[str]
    """Names of the columns. A name can occur several times."""
    rows: list[tuple[Value, ...]]
    reached: Literal["max_rows", "max_bytes"] | None
    """The limit because of which further rows are left out, or None if all rows are included."""
    cut_values: int
    """Number of values that were cut because they are too long. They end with `…`."""
    max_characters: int
    """Number of characters to which values are cut."""


def run_query(
    query: str,
    *,
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
    max_seconds: float = MAX_SECONDS,
) -> QueryResult:
    """Run one SELECT statement in a read-only transaction, and return its first rows.

    Postgres cuts long values before it sends them, and sends the rows in blocks of at most
    `max_bytes`. Numbers, truth values, dates and times keep their types. Bytes are returned as
    hexadecimal digits, and all other values as psql shows them. Raises QueryFailed if the query is
    not a single SELECT, contains an error, or takes longer than `max_seconds`. Raises
    ConfigurationError if the reader's login can do more than read, and DatabaseError if the server
    cannot be reached.
    """
    require_reader_login()
    connection = engine("reader").raw_connection()
    try:
        cursor = LimitedCursor(connection.cursor(), seconds=max_seconds)
        subquery = _open_as_subquery(cursor, query.replace("\0", ""))
        columns = cursor.columns()
        limits = limits_for([type_oid for _, type_oid in columns], max_bytes=max_bytes)
        # Postgres keeps the order of a subquery's rows if the outer query only converts them.
        cursor.open(f"SELECT {limits.expressions()} FROM {subquery}{limits.column_aliases()}")
        return _first_rows(cursor, [name for name, _ in columns], limits, max_rows, max_bytes)
    except psycopg2.Error as error:
        raise QueryFailed(_error_message(error, max_seconds)) from error
    except ValueError as error:  # Python's dates have only the years 1 to 9999.
        raise QueryFailed(
            f"A date cannot be shown, because its {error}. Convert it to text with ::text."
        ) from error
    finally:
        connection.rollback()
        connection.close()


def _open_as_subquery(cursor: LimitedCursor, query: str) -> str:
    """Open the query as a subquery, and return the subquery. Raises QueryFailed if it is no SELECT.

    Postgres first checks that the query is one statement, and that `first_statement` returned a
    complete statement. Therefore, no query can close the parenthesis of the subquery.
    """
    statement = first_statement(query)
    for text in dict.fromkeys([query, statement]):
        cursor.open(text)
    subquery = f"({statement}\n) AS result"
    try:
        cursor.open(f"SELECT * FROM {subquery}")
    # EXPLAIN, SHOW, and WITH that changes rows can be opened, but cannot be a subquery.
    except (errors.SyntaxError, errors.FeatureNotSupported) as error:
        raise QueryFailed(_ONLY_SELECT) from error
    return subquery


def _first_rows(
    cursor: LimitedCursor, columns: list[str], limits: ValueLimits, max_rows: int, max_bytes: int
) -> QueryResult:
    """Return the rows of the open cursor up to the first limit that is reached."""
    rows: list[tuple[Value, ...]] = []
    cut_values, free_bytes = 0, max_bytes
    reached: Literal["max_rows", "max_bytes"] | None = None
    block_rows = min(max_rows + 1, max(1, max_bytes // limits.max_row_bytes()))
    while reached is None and (block := cursor.fetch(block_rows)):
        for received in block:
            row, cut = limits.shorten(received)
            free_bytes -= size_in_bytes(row)
            if len(rows) == max_rows or free_bytes < 0:
                reached = "max_rows" if len(rows) == max_rows else "max_bytes"
                break
            rows.append(row)
            cut_values += cut
    return QueryResult(columns, rows, reached, cut_values, limits.max_characters)


def _error_message(error: psycopg2.Error, max_seconds: float) -> str:
    """Return a message about the limit or the refused statement, or Postgres's own message."""
    if isinstance(error, errors.QueryCanceled):
        return (
            f"The query was stopped, because it may run for at most {max_seconds:g} seconds. "
            "Restrict it, for example with WHERE. For a longer query, use another client (`mirpipe "
            "db url --role reader` prints the address) and raise statement_timeout there."
        )
    if isinstance(error, errors.InvalidCursorDefinition | errors.ReadOnlySqlTransaction):
        return _ONLY_SELECT
    return _postgres_message(error)


def _postgres_message(error: psycopg2.Error) -> str:
    """Return Postgres's error message, with the position in the query.

    Lines about mirpipe's own statements are left out. A long message is cut, because it can contain
    a value of any length.
    """
    lines: list[str] = []
    for line in (error.pgerror or str(error)).strip().splitlines():
        if line.startswith(("CONTEXT:", "QUERY:")):
            break
        lines.append(line.removeprefix("ERROR:  "))
    message = "\n".join(lines)
    if len(message) <= _MAX_MESSAGE_CHARACTERS:
        return message
    return f"{message[:_MAX_MESSAGE_CHARACTERS]}…"

"""Any question in SQL, as the role that only reads: one statement, some rows, some seconds."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import psycopg2

from mirpipe.db.engine import engine
from mirpipe.errors import MirpipeError

MOST_ROWS = 1000
MOST_SECONDS = 20
_PLAIN = (int, float, str, bool, datetime, date, time, type(None))

# A cursor takes one statement that gives rows, and what it was opened for cannot close it again.
_OPEN = """
    DO $$
    DECLARE
        answer refcursor := 'mirpipe_answer';
    BEGIN
        OPEN answer NO SCROLL FOR EXECUTE current_setting('mirpipe.question');
    END $$
"""


class BadQuestion(MirpipeError):
    """The server did not answer; the message is its own."""


@dataclass(frozen=True)
class Table:
    """The first rows of an answer; `is_cut` where there are more."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def ask(question: str, *, most_rows: int = MOST_ROWS, most_seconds: float = MOST_SECONDS) -> Table:
    """What one SELECT gives, in a transaction that can write nothing and ends here.

    JSON, arrays and vectors come as text, bytes as hexadecimal digits. Raises BadQuestion with
    what Postgres says, DatabaseError where the server cannot be reached.
    """
    link = engine("reader").raw_connection()
    try:
        sql = link.cursor()
        sql.execute("SET TRANSACTION READ ONLY")
        sql.execute(f"SET LOCAL statement_timeout = {round(most_seconds * 1000)}")
        sql.execute("SELECT set_config('mirpipe.question', %s, true)", [_bare(question)])
        sql.execute(_OPEN)
        sql.execute(f"FETCH {most_rows + 1:d} FROM mirpipe_answer")
        rows = [tuple(map(_shown, row)) for row in sql.fetchall()]
        columns = [str(column[0]) for column in sql.description or []]
    except psycopg2.Error as error:
        raise BadQuestion(_said(error)) from error
    finally:
        link.rollback()
        link.close()
    return Table(columns, rows[:most_rows], is_cut=len(rows) > most_rows)


def _bare(question: str) -> str:
    return question.replace("\0", "").strip().rstrip(";")


def _shown(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _said(error: psycopg2.Error) -> str:
    lines = (error.pgerror or str(error)).strip().splitlines()
    kept = []
    for line in lines:
        if line.startswith(("CONTEXT:", "QUERY:")):
            break
        kept.append(line.removeprefix("ERROR:  "))
    return "\n".join(kept)

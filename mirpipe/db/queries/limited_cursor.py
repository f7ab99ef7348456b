"""A server-side cursor for one statement, with a deadline for everything that it runs."""

import time
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy.engine.interfaces import DBAPICursor

# A cursor accepts only one statement, and this statement must return rows. It can neither close the
# cursor nor raise the time limit, because the limit is set again before each statement.
_OPEN = """
    DO $$
    DECLARE
        result refcursor := 'mirpipe_result';
    BEGIN
        OPEN result NO SCROLL FOR EXECUTE current_setting('mirpipe.query');
    END $$
"""


class LimitedCursor:
    """A cursor in a read-only transaction. After the deadline, Postgres raises QueryCanceled."""

    def __init__(self, sql: DBAPICursor, *, seconds: float) -> None:
        self._sql = sql
        self._deadline = time.monotonic() + seconds
        sql.execute("SET TRANSACTION READ ONLY")

    def open(self, query: str) -> None:
        """Open the cursor for a query, without reading rows. Closes the cursor if it is open."""
        self._sql.execute("CLOSE ALL")
        self._sql.execute("SELECT set_config('mirpipe.query', %s, true)", [query])
        self._run(_OPEN)

    def columns(self) -> list[tuple[str, int]]:
        """Return the name and the type oid of each column."""
        self._run("FETCH 0 FROM mirpipe_result")
        return [(str(column[0]), cast(int, column[1])) for column in self._sql.description or ()]

    def fetch(self, rows: int) -> Sequence[tuple[Any, ...]]:
        """Return the next rows, at most `rows`."""
        self._run(f"FETCH {rows:d} FROM mirpipe_result")
        return self._sql.fetchall()

    def _run(self, statement: str) -> None:
        milliseconds = max(1, round((self._deadline - time.monotonic()) * 1000))
        self._sql.execute(f"SET LOCAL statement_timeout = {milliseconds}")
        self._sql.execute(statement)

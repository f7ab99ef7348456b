"""Query errors name the remedy."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.db.engine import close_engines
from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.reader_limits import READER_LIMITS
from mirpipe.errors import DatabaseError
from tests.support.databases import Database


def test_the_error_about_missing_tables_names_the_remedy(fresh_database: Database) -> None:
    with fresh_database.owner.begin() as connection:
        connection.execute(text("DROP SCHEMA mirpipe CASCADE"))
    with pytest.raises(DatabaseError, match=r"does not exist\).*`mirpipe db migrate`"):
        queries.library_counts()


@dataclass
class Row:
    """A row returned by a test query."""

    value: str


def test_a_query_that_takes_too_long_is_not_blamed_on_the_server(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(READER_LIMITS, "statement_timeout", "50ms")
    close_engines()
    with pytest.raises(DatabaseError, match="longer than 50ms") as raised:
        read_rows(Row, text("SELECT pg_sleep(5)::text AS value"))
    assert "mirpipe db up" not in str(raised.value)

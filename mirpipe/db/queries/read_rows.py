"""Runs a query, mostly with the read-only role, and returns the rows as dataclasses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from psycopg2.errors import QueryCanceled
from sqlalchemy import TextClause
from sqlalchemy.exc import OperationalError

from mirpipe.db.engine import PipelineRole, engine
from mirpipe.db.reader_limits import READER_LIMITS
from mirpipe.errors import DatabaseError

Row = TypeVar("Row")


def read_rows(row_type: type[Row], query: TextClause, **parameters: object) -> list[Row]:
    """Return the rows of the query as instances of `row_type`, in query order.

    The columns of the query must be the fields of `row_type`. Raises DatabaseError, with a remedy,
    if the server cannot be reached, the query takes too long, or the schema is outdated.
    """
    return _read("reader", row_type, query, parameters)


def read_hidden_rows(row_type: type[Row], query: TextClause, **parameters: object) -> list[Row]:
    """Return the rows of a query on tables that readers must not see, as `read_rows` does."""
    return _read("app", row_type, query, parameters)


def _read(
    role: PipelineRole, row_type: type[Row], query: TextClause, parameters: dict[str, object]
) -> list[Row]:
    with readable_errors(), engine(role).connect() as connection:
        rows = connection.execute(query, parameters).mappings()
        return [row_type(**row) for row in rows]


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raise DatabaseError, with a remedy, instead of an error of the server or the connection."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise DatabaseError(
                "The database stopped the query, because it took longer than "
                f"{READER_LIMITS['statement_timeout']}. Try again when the server is less busy."
            ) from error
        raise DatabaseError(
            f"Cannot read from the database ({_first_line(error.orig)}). Start the embedded server "
            "with `mirpipe db up`, or check MIRPIPE_READER_URL and MIRPIPE_DATABASE_URL."
        ) from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]

"""One read as the role that only reads: a query's rows as frozen dataclasses."""

from typing import TypeVar

from sqlalchemy import TextClause
from sqlalchemy.exc import OperationalError

from mirpipe.db.engine import engine
from mirpipe.errors import DatabaseError
from mirpipe.generation.modes import MODES

Row = TypeVar("Row")

MODE_ORDER = (
    f"guidance NULLS FIRST, array_position(ARRAY{[mode.name for mode in MODES]}, mode), mode"
)
"""What modes are sorted by: the least guidance first, and of equals the caption alone."""


def rows(row: type[Row], query: TextClause, **parameters: object) -> list[Row]:
    """The query's rows in order; its columns are the fields of `row`.

    Raises DatabaseError, with the remedy, where the server cannot be reached or has no tables.
    """
    try:
        with engine("reader").connect() as connection:
            return [row(**values) for values in connection.execute(query, parameters).mappings()]
    except OperationalError as error:
        raise DatabaseError(
            f"the database does not answer ({_first_line(error.orig)}); "
            "start the embedded one with `mirpipe db up`, or check MIRPIPE_READER_URL "
            "and MIRPIPE_DATABASE_URL"
        ) from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]

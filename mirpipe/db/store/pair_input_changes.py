"""Marks of changes that may have made pair scores pending. `v_pending` needs one to count them.

Triggers add a mark for each statement that changes a table on which `pending_pair` depends.
"""

from sqlalchemy import Connection, text

_DELETE = text(
    "DELETE FROM mirpipe.pair_input_change WHERE NOT EXISTS (SELECT FROM mirpipe.pending_pair)"
)
_IS_MISSING = text(
    "SELECT NOT EXISTS (SELECT FROM mirpipe.pair_input_change) "
    "AND EXISTS (SELECT FROM mirpipe.pending_pair)"
)


def delete_marks(connection: Connection) -> None:
    """Delete the marks if no pair score is pending.

    The mark of a change that is not committed yet stays, because this statement cannot see it.
    """
    connection.execute(_DELETE)


def is_mark_missing(connection: Connection) -> bool:
    """Return whether pair scores are pending without a mark. It should be false."""
    return bool(connection.execute(_IS_MISSING).scalar_one())


def add_missing_mark(connection: Connection) -> None:
    """Add a mark if pair scores are pending without one."""
    if is_mark_missing(connection):
        connection.execute(text("INSERT INTO mirpipe.pair_input_change DEFAULT VALUES"))

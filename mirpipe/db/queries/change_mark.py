"""A mark that shows whether anything has been written to the database."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

_CHANGE_MARK = text("""
    SELECT concat_ws(' ', max(d.oid), pg_postmaster_start_time(), max(t.relid),
        sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del)) AS mark
    FROM pg_stat_user_tables t JOIN pg_database d ON d.datname = current_database()
    WHERE t.schemaname = 'mirpipe'
""")


@dataclass(frozen=True)
class _Mark:
    mark: str


def change_mark() -> str:
    """Return a string that changes with every write to the database.

    The change is visible a few seconds after the write, when Postgres updates its statistics.
    """
    return read_rows(_Mark, _CHANGE_MARK)[0].mark

"""A snapshot shows one database state, however long the reader waits between queries."""

import pytest
from sqlalchemy import text

from mirpipe.db.snapshot import open_snapshot
from tests.support.databases import Database
from tests.support.waiting import eventually

NOW = text("SELECT now()")
IS_OPEN = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = :pid)")


@pytest.mark.parametrize("role", ["owner", "app", "reader"])
def test_a_snapshot_may_be_idle_longer_than_other_transactions(
    fresh_database: Database, role: str
) -> None:
    limit = f"ALTER DATABASE {fresh_database.name} SET idle_in_transaction_session_timeout = '50ms'"
    with fresh_database.owner.begin() as connection:
        connection.execute(text(limit))
    for used in (fresh_database.owner, fresh_database.app, fresh_database.reader):
        used.dispose()
    with open_snapshot(role) as snapshot, fresh_database.owner.connect() as other:
        moment = snapshot.scalar(NOW)
        pid = other.scalar(text("SELECT pg_backend_pid()"))
        with fresh_database.owner.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as watching:
            eventually(lambda: not watching.scalar(IS_OPEN, {"pid": pid}))
        assert snapshot.scalar(NOW) == moment
        other.invalidate()

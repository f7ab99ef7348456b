"""Named locks: one holder per lock, waiting for a lock, and locks that readers cannot take."""

import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from mirpipe.db.migrate import VERSION_TABLE
from mirpipe.db.named_locks import (
    hold_first_free_lock,
    hold_lock,
    lock_until_transaction_ends,
)
from mirpipe.errors import DatabaseError
from mirpipe.settings import PROJECT
from tests.support.databases import Database, require_refused
from tests.support.waiting import eventually, sessions_waiting

pytestmark = pytest.mark.usefixtures("fresh_database")


def test_the_first_free_lock_is_held_and_then_released() -> None:
    with (
        hold_first_free_lock(["a", "b"]) as first,
        hold_first_free_lock(["a", "b"]) as second,
    ):
        assert (first, second) == ("a", "b")
    with hold_first_free_lock(["a", "b"]) as third:
        assert third == "a"


def test_if_all_locks_are_held_the_caller_is_told_and_waits_for_the_first(
    fresh_database: Database,
) -> None:
    is_waiting, acquired = threading.Event(), []

    def wait() -> None:
        with hold_first_free_lock(["a", "b"], on_wait=is_waiting.set) as lock:
            acquired.append(lock)

    with hold_lock("b"):
        with hold_first_free_lock(["a"]):
            thread = threading.Thread(target=wait)
            thread.start()
            assert is_waiting.wait(30)
            assert acquired == []
        thread.join(30)
        assert acquired == ["a"]


def test_a_free_lock_is_held_without_waiting() -> None:
    def fail() -> None:
        pytest.fail("waited for a lock that no process holds")

    with hold_first_free_lock(["a"], on_wait=fail) as lock:
        assert lock == "a"


def test_a_lock_of_a_transaction_ends_with_it(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        lock_until_transaction_ends(connection, "a")
        with hold_first_free_lock(["a", "b"]) as lock:
            assert lock == "b"
    with hold_first_free_lock(["a", "b"]) as lock:
        assert lock == "a"


def test_the_lock_of_a_killed_process_is_free_again(fresh_database: Database) -> None:
    program = (
        "from mirpipe.db.named_locks import hold_lock\n"
        "with hold_lock('a'): print('held', flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with hold_first_free_lock(["a", "b"]) as lock:
            assert lock == "b"
        process.kill()
    with hold_lock("a"), hold_first_free_lock(["a", "b"]) as lock:
        assert lock == "b"


def test_processes_that_create_the_same_lock_at_the_same_time_take_turns(
    fresh_database: Database,
) -> None:
    acquired = []

    def hold() -> None:
        with hold_lock("new"):
            acquired.append("thread")

    with fresh_database.app.begin() as first:
        first.execute(text("SELECT mirpipe.lock_table('new')"))
        thread = threading.Thread(target=hold)
        thread.start()
        eventually(lambda: sessions_waiting(fresh_database.owner))
        assert acquired == []
    thread.join(30)
    assert acquired == ["thread"]


def test_a_new_lock_may_be_created_by_many_processes_at_any_moment(
    fresh_database: Database,
) -> None:
    barrier = threading.Barrier(6)
    pool = create_engine(fresh_database.app.url, pool_size=6)

    def create(_: int) -> list[str]:
        with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            tables = []
            for number in range(60):
                barrier.wait(30)
                table = text("SELECT mirpipe.lock_table(:name)")
                tables.append(connection.execute(table, {"name": f"new {number}"}).scalar_one())
        return tables

    with ThreadPoolExecutor(6) as threads:
        first, *others = threads.map(create, range(6))
    pool.dispose()
    assert len(set(first)) == 60
    assert all(tables == first for tables in others)
    with fresh_database.app.connect() as connection:
        exist = text("SELECT count(to_regclass(name)) FROM unnest(CAST(:names AS text[])) name")
        assert connection.execute(exist, {"names": first}).scalar_one() == 60


def test_a_held_lock_keeps_vacuum_from_nothing(fresh_database: Database) -> None:
    query = (
        "SELECT backend_xid, backend_xmin FROM pg_stat_activity "
        "WHERE state = 'idle in transaction' AND datname = current_database()"
    )
    with hold_lock("a"), fresh_database.app.connect() as connection:
        assert connection.execute(text(query)).all() == [(None, None)]


def test_no_timeout_for_idle_transactions_ends_a_lock(fresh_database: Database) -> None:
    setting = "idle_in_transaction_session_timeout = '200ms'"
    with fresh_database.owner.begin() as owner:
        owner.execute(text(f"ALTER DATABASE {fresh_database.name} SET {setting}"))
    fresh_database.app.dispose()
    with hold_lock("a"), hold_first_free_lock(["b"]):
        with fresh_database.owner.connect() as owner:
            owner.execute(text("SELECT pg_sleep(0.4)"))
        with hold_first_free_lock(["a", "c"]) as lock:
            assert lock == "c"


@pytest.mark.parametrize("table", ["mirpipe.lock_table('a')", f"public.{VERSION_TABLE}"])
def test_a_reader_cannot_block_a_lock(fresh_database: Database, table: str) -> None:
    with hold_lock("a"):
        pass
    if "(" in table:
        with fresh_database.app.connect() as app:
            table = app.execute(text(f"SELECT {table}")).scalar_one()
    for mode in (
        *("ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE"),
        *("SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"),
    ):
        require_refused(fresh_database.reader, f"LOCK TABLE {table} IN {mode} MODE")
    require_refused(fresh_database.reader, "SELECT mirpipe.lock_table('b')")


def test_no_advisory_lock_is_used(fresh_database: Database) -> None:
    """Every role that can connect to a database can take every advisory lock in it."""
    functions = "SELECT proname FROM pg_proc WHERE prosrc ~ 'advisory' AND pronamespace = "
    with fresh_database.owner.connect() as owner:
        assert owner.execute(text(f"{functions}'mirpipe'::regnamespace")).all() == []
    sources = [*(PROJECT / "mirpipe").rglob("*.py"), *(PROJECT / "migrations/views").glob("*.sql")]
    assert len(sources) > 200
    assert [p for p in sources if re.search("pg_(try_)?advisory", p.read_text())] == []


def test_a_login_that_may_only_read_gets_a_message_with_remedies(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.db.named_locks.engine", lambda _role: fresh_database.reader)
    with pytest.raises(DatabaseError, match="MIRPIPE_DEVICE=cpu"), hold_lock("a"):
        pass

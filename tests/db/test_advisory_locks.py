"""Advisory locks: one holder per lock, choosing the first free lock, and waiting for a lock."""

import threading

import pytest

from mirpipe.db.advisory_locks import hold_first_free_lock, hold_lock
from mirpipe.errors import DatabaseError
from tests.support.databases import Database

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


def test_a_login_that_may_only_read_gets_a_message_with_remedies(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.db.advisory_locks.engine", lambda _role: fresh_database.reader)
    with pytest.raises(DatabaseError, match="MIRPIPE_DEVICE=cpu"), hold_lock("a"):
        pass

"""Leases: one holder each, the first that is free, and waiting for the first where none is."""

import threading

import pytest

from mirpipe.db import advisory_locks
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("fresh_database")


def test_the_first_lease_that_is_free_is_taken_and_given_back() -> None:
    with advisory_locks.one_of(["a", "b"]) as first, advisory_locks.one_of(["a", "b"]) as second:
        assert (first, second) == ("a", "b")
    with advisory_locks.one_of(["a", "b"]) as again:
        assert again == "a"


def test_where_all_are_taken_it_says_so_and_waits_for_the_first(fresh_database: Database) -> None:
    told, got = threading.Event(), []

    def wait() -> None:
        with advisory_locks.one_of(["a", "b"], waiting=told.set) as lease:
            got.append(lease)

    with advisory_locks.exclusive("b"):
        with advisory_locks.one_of(["a"]):
            thread = threading.Thread(target=wait)
            thread.start()
            assert told.wait(30)
            assert got == []
        thread.join(30)
        assert got == ["a"]


def test_a_lease_that_is_free_is_not_waited_for() -> None:
    def complain() -> None:
        pytest.fail("nobody has it")

    with advisory_locks.one_of(["a"], waiting=complain) as lease:
        assert lease == "a"

"""Reading ahead keeps the order, passes errors on to the reader, and limits the waiting items."""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing

from mirpipe.stages.embed.read_ahead import read_ahead
from tests.support.waiting import eventually


def numbers(key: int) -> Generator[int, None, None]:
    yield from range(key * 10, key * 10 + 3)


def size_of_one(_item: int) -> int:
    return 1


def test_keys_and_items_come_in_order() -> None:
    with closing(
        read_ahead(range(9), numbers, threads=3, max_size=2, size=size_of_one)
    ) as keys_and_items:
        assert [(key, list(items)) for key, items in keys_and_items] == [
            (key, list(numbers(key))) for key in range(9)
        ]


def test_an_error_is_raised_when_its_key_is_read_and_the_next_key_follows() -> None:
    def fail_for_key_1(key: int) -> Generator[int, None, None]:
        yield key
        if key == 1:
            raise ValueError("key 1")
        yield -key

    results: list[list[int] | str] = []
    with closing(
        read_ahead(range(3), fail_for_key_1, threads=1, max_size=9, size=size_of_one)
    ) as keys_and_items:
        for _, items in keys_and_items:
            try:
                results.append(list(items))
            except ValueError as error:
                results.append(str(error))
    assert results == [[0, 0], "key 1", [2, -2]]


def test_a_generator_is_closed_if_its_items_are_not_all_read() -> None:
    closed = threading.Event()

    def endless(key: int) -> Generator[int, None, None]:
        try:
            while True:
                yield key
        finally:
            closed.set()

    with closing(
        read_ahead([1, 2], endless, threads=1, max_size=3, size=size_of_one)
    ) as keys_and_items:
        for key, items in keys_and_items:
            assert next(items) == key
    assert closed.is_set()


def test_only_as_many_keys_and_items_are_made_in_advance_as_allowed() -> None:
    made: list[int] = []
    requested: list[int] = []

    def keys() -> Iterator[int]:
        for key in range(9):
            requested.append(key)
            yield key

    def counted(key: int) -> Generator[int, None, None]:
        for _ in range(100):
            made.append(key)
            yield key

    with closing(
        read_ahead(keys(), counted, threads=2, max_size=5, size=size_of_one)
    ) as keys_and_items:
        next(keys_and_items)
        eventually(lambda: len(made) == 2 * (5 + 1))  # Per key, one more item waits for room.
    assert requested == [0, 1, 2]
    assert {made.count(key) for key in (0, 1)} == {6}


def test_no_thread_is_left_if_the_reader_stops_early() -> None:
    before = threading.active_count()
    with closing(
        read_ahead(range(9), numbers, threads=2, max_size=1, size=size_of_one)
    ) as keys_and_items:
        next(keys_and_items)
        assert threading.active_count() == before + 2
    assert threading.active_count() == before

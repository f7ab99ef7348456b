"""Threads that run ahead of whoever reads: order, faults, bounds."""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing

from mirpipe.stages.embed.read_ahead import ahead
from tests.support.waiting import eventually


def numbers(key: int) -> Generator[int, None, None]:
    yield from range(key * 10, key * 10 + 3)


def size_of_one(_item: int) -> int:
    return 1


def test_keys_and_items_come_in_order() -> None:
    with closing(ahead(range(9), numbers, threads=3, most=2, size=size_of_one)) as found:
        assert [(key, list(items)) for key, items in found] == [
            (key, list(numbers(key))) for key in range(9)
        ]


def test_what_one_key_raises_is_raised_to_its_reader_and_the_next_is_there() -> None:
    def some_break(key: int) -> Generator[int, None, None]:
        yield key
        if key == 1:
            raise ValueError("key 1")
        yield -key

    said: list[list[int] | str] = []
    with closing(ahead(range(3), some_break, threads=1, most=9, size=size_of_one)) as found:
        for _, items in found:
            try:
                said.append(list(items))
            except ValueError as error:
                said.append(str(error))
    assert said == [[0, 0], "key 1", [2, -2]]


def test_a_key_that_is_not_read_to_its_end_is_ended() -> None:
    ended = threading.Event()

    def endless(key: int) -> Generator[int, None, None]:
        try:
            while True:
                yield key
        finally:
            ended.set()

    with closing(ahead([1, 2], endless, threads=1, most=3, size=size_of_one)) as found:
        for key, items in found:
            assert next(items) == key
    assert ended.is_set()


def test_as_many_keys_as_threads_are_made_ahead_and_no_more_than_fits() -> None:
    made: list[int] = []
    drawn: list[int] = []

    def keys() -> Iterator[int]:
        for key in range(9):
            drawn.append(key)
            yield key

    def counted(key: int) -> Generator[int, None, None]:
        for _ in range(100):
            made.append(key)
            yield key

    with closing(ahead(keys(), counted, threads=2, most=5, size=size_of_one)) as found:
        next(found)
        eventually(lambda: len(made) == 2 * (5 + 1))  # the last of each waits to be let in
    assert drawn == [0, 1, 2]
    assert {made.count(key) for key in (0, 1)} == {6}


def test_a_reader_that_breaks_off_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with closing(ahead(range(9), numbers, threads=2, most=1, size=size_of_one)) as found:
        next(found)
        assert threading.active_count() == before + 2
    assert threading.active_count() == before

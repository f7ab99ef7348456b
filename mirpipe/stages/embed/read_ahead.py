"""Iterators that threads run ahead of their reader, in bounded memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from threading import Condition
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


def ahead(
    keys: Iterable[K],
    make: Callable[[K], Generator[T, None, None]],
    *,
    threads: int,
    most: int,
    size: Callable[[T], int],
) -> Generator[tuple[K, Iterator[T]], None, None]:
    """Each key with the items of `make(key)`, in order; up to `threads` keys are being made.

    What is made and not yet read adds up to about `most`, in the unit of `size`, for the key that
    is being read and for each of the `threads` next ones. What `make` raises is raised to whoever
    reads that key's items; the next key is there all the same. `keys` is drawn from in the
    reader's thread. A key's items can be read until the next key is asked for.
    """
    coming = iter(keys)
    lines: deque[tuple[K, _Line[T]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        try:
            while True:
                for key in islice(coming, threads + 1 - len(lines)):
                    line = _Line(most, size)
                    lines.append((key, line))
                    pool.submit(line.fill, make, key)
                if not lines:
                    return
                key, line = lines[0]
                yield key, iter(line)
                line.stop()
                lines.popleft()
        finally:
            for _, line in lines:
                line.stop()


class _Line(Generic[T]):
    """Items on their way from the thread that makes them to the one that reads them."""

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self._most, self._size = most, size
        self._items: deque[T] = deque()
        self._held = 0
        self._stopped = self._ended = False
        self._problem: BaseException | None = None
        self._changed = Condition()

    def fill(self, make: Callable[[K], Generator[T, None, None]], key: K) -> None:
        """Makes all items, or as many as are read; never raises."""
        problem: BaseException | None = None
        try:
            with closing(make(key)) as items:
                for item in items:
                    if not self._put(item):
                        break
        except BaseException as raised:  # noqa: BLE001 - it belongs to the reader
            problem = raised
        with self._changed:
            self._problem, self._ended = problem, True
            self._changed.notify_all()

    def stop(self) -> None:
        """Nobody reads on: has `fill` end at its next item."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended or self._stopped)
                if not self._items:
                    if self._problem and not self._stopped:
                        raise self._problem
                    return
                item = self._items.popleft()
                self._held -= self._size(item)
                self._changed.notify_all()
            yield item

    def _put(self, item: T) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._held < self._most or self._stopped)
            if self._stopped:
                return False
            self._items.append(item)
            self._held += self._size(item)
            self._changed.notify_all()
        return True

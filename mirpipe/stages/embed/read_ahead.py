"""Runs generators in threads ahead of their reader, and limits the size of the waiting items."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from threading import Condition
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


def read_ahead(
    keys: Iterable[K],
    make_items: Callable[[K], Generator[T, None, None]],
    *,
    threads: int,
    max_size: int,
    size: Callable[[T], int],
) -> Generator[tuple[K, Iterator[T]], None, None]:
    """Yield each key with the items of `make_items(key)`, in order.

    The items of up to `threads` further keys are made in advance. For each key, the items that wait
    for the reader have a total size of at most about `max_size`. `size` returns the size of an
    item. An error from `make_items` is raised when the items of that key are read; the reader can
    then continue with the next key. `keys` is iterated in the reader's thread. The items of a key
    can be read until the next key is requested.
    """
    remaining_keys = iter(keys)
    started: deque[tuple[K, _ItemQueue[T]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        try:
            while True:
                for key in islice(remaining_keys, threads + 1 - len(started)):
                    queue = _ItemQueue(max_size, size)
                    started.append((key, queue))
                    pool.submit(queue.fill, make_items, key)
                if not started:
                    return
                key, queue = started[0]
                yield key, iter(queue)
                queue.stop()
                started.popleft()
        finally:
            for _, queue in started:
                queue.stop()


class _ItemQueue(Generic[T]):
    """A queue that passes the items of one key from the thread that makes them to the reader."""

    def __init__(self, max_size: int, size: Callable[[T], int]) -> None:
        self._max_size, self._size = max_size, size
        self._items: deque[T] = deque()
        self._current_size = 0
        self._is_stopped = self._is_complete = False
        self._error: BaseException | None = None
        self._changed = Condition()

    def fill(self, make_items: Callable[[K], Generator[T, None, None]], key: K) -> None:
        """Make all items, or stop early if `stop` is called. An error is kept for the reader."""
        error: BaseException | None = None
        try:
            with closing(make_items(key)) as items:
                for item in items:
                    if not self._put(item):
                        break
        except BaseException as raised:  # noqa: BLE001 - the reader raises it
            error = raised
        with self._changed:
            self._error, self._is_complete = error, True
            self._changed.notify_all()

    def stop(self) -> None:
        """Discard all items, and make `fill` stop at the next item that it makes."""
        with self._changed:
            self._is_stopped = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._is_complete or self._is_stopped)
                if not self._items:
                    if self._error and not self._is_stopped:
                        raise self._error
                    return
                item = self._items.popleft()
                self._current_size -= self._size(item)
                self._changed.notify_all()
            yield item

    def _put(self, item: T) -> bool:
        """Wait until there is room, and add the item. Return False if the queue was stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._current_size < self._max_size or self._is_stopped)
            if self._is_stopped:
                return False
            self._items.append(item)
            self._current_size += self._size(item)
            self._changed.notify_all()
        return True

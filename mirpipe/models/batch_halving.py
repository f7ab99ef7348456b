"""Calls of a model with as many items at once as its device bears."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mirpipe.errors import OutOfMemory, result_or_error

Item = TypeVar("Item")
Result = TypeVar("Result")


def calls(
    items: Sequence[Item], run: Callable[[Sequence[Item]], Sequence[Result]], *, at_once: int
) -> Iterator[list[tuple[Item, Result | Exception]]]:
    """What became of the items, in order, call by call.

    An OutOfMemory halves the number at once from then on; any other error has the items of that
    call run one by one. What fails alone stands beside its item.
    """

    def call(batch: Sequence[Item]) -> list[tuple[Item, Result | Exception]]:
        return list(zip(batch, run(batch), strict=True))

    waiting = deque(items)
    singly = 0
    while waiting:
        size = min(1 if singly else at_once, len(waiting))
        batch = [waiting.popleft() for _ in range(size)]
        found = result_or_error(call, batch)
        if not isinstance(found, Exception):
            yield found
        elif size == 1:
            yield [(batch[0], found)]
        else:
            waiting.extendleft(reversed(batch))
            if isinstance(found, OutOfMemory):
                at_once = size // 2
            else:
                singly = size
            continue
        singly = max(0, singly - size)

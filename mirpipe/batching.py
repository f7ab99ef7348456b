"""Calls of a model with as many items at once as its device bears."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mirpipe.errors import OutOfMemory

Item = TypeVar("Item")
Result = TypeVar("Result")


def calls(
    items: Sequence[Item], run: Callable[[Sequence[Item]], Sequence[Result]], *, at_once: int
) -> Iterator[list[tuple[Item, Result | Exception]]]:
    """What became of the items, in order, call by call.

    An OutOfMemory halves the number at once from then on; any other error has the items of that
    call run one by one. What fails alone stands beside its item.
    """
    waiting = deque(items)
    singly = 0
    while waiting:
        size = min(1 if singly else at_once, len(waiting))
        batch = [waiting.popleft() for _ in range(size)]
        try:
            found = list(zip(batch, run(batch), strict=True))
        except Exception as problem:  # noqa: BLE001 - the edge of the batch: the rest goes on
            if size > 1:
                waiting.extendleft(reversed(batch))
                if isinstance(problem, OutOfMemory):
                    at_once = size // 2
                else:
                    singly = size
                continue
            yield [(batch[0], problem)]
        else:
            yield [*found]
        singly = max(0, singly - size)

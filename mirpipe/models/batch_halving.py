"""Runs a model on batches of items and halves the batch size when memory runs out."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mirpipe.errors import OutOfMemory, result_or_error

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_in_batches(
    items: Sequence[Item], run: Callable[[Sequence[Item]], Sequence[Result]], *, batch_size: int
) -> Iterator[list[tuple[Item, Result | Exception]]]:
    """Yield a list per call of `run`: each item with its result or its error, in order.

    `run` takes up to `batch_size` items and returns one result per item. If it raises OutOfMemory,
    all later batches have half the size. If it raises another error, the items of that batch are
    run again one by one, so that only the item that causes the error is returned with it.
    """

    def run_batch(batch: Sequence[Item]) -> list[tuple[Item, Result | Exception]]:
        return list(zip(batch, run(batch), strict=True))

    remaining = deque(items)
    remaining_single = 0
    while remaining:
        size = min(1 if remaining_single else batch_size, len(remaining))
        batch = [remaining.popleft() for _ in range(size)]
        outcome = result_or_error(run_batch, batch)
        if not isinstance(outcome, Exception):
            yield outcome
        elif size == 1:
            yield [(batch[0], outcome)]
        else:
            remaining.extendleft(reversed(batch))
            if isinstance(outcome, OutOfMemory):
                batch_size = size // 2
            else:
                remaining_single = size
            continue
        remaining_single = max(0, remaining_single - size)

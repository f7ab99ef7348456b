"""Processes the files of a backup in several threads: they are read, hashed and transferred."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mirpipe.db.dump import jobs
from mirpipe.records import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Sequence[Item], *, progress: Progress | None = None
) -> Iterator[Result]:
    """Yield the result of each item, in order. After an error, no further item is started."""
    with ThreadPoolExecutor(jobs()) as pool:
        for done, result in enumerate(pool.map(work, items), start=1):
            yield result
            if progress:
                progress(done, len(items))

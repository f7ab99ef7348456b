"""Progress bars on stderr, so that stdout holds results alone."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirpipe import logs

_log = logging.getLogger("mirpipe.progress")


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A callable `(done, total)` that draws a bar; in a log it prints a line every ten percent."""
    console = Console(stderr=True)
    if logs.is_json() or not console.is_terminal:
        yield _lines(console, label)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def say_waiting(device: str) -> None:
    """Says on stderr that another process has the device."""
    said = f"waiting for the device {device!r}: another process of mirpipe has it"
    if logs.is_json():
        _log.info(said)
    else:
        Console(stderr=True).print(said, markup=False, highlight=False)


def _lines(console: Console, label: str) -> Callable[[int, int], None]:
    said = -1

    def say(done: int, total: int) -> None:
        nonlocal said
        tenth = 10 * done // max(total, 1)
        if tenth > said:
            said = tenth
            if logs.is_json():
                _log.info(label, extra={"done": done, "total": total})
                return
            console.print(f"{label}: {done} of {total}", markup=False, highlight=False)

    return say

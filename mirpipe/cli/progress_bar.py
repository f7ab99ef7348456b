"""Progress bars and waiting messages on stderr. Only results go to stdout."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirpipe import logs

MAX_SILENT_SECONDS = 300
"""Longest time without a line, so that nobody takes long work for a process that hangs."""

_log = logging.getLogger("mirpipe.progress")


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function `(done, total)` that updates a progress bar.

    If stderr is not a terminal, the function prints a line for every ten percent instead, and at
    least every `MAX_SILENT_SECONDS` while items are completed.
    """
    console = Console(stderr=True)
    if logs.is_json() or not console.is_terminal:
        yield _line_printer(console, label)
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


def print_waiting(device: str) -> None:
    """Print on stderr that this process is waiting for a device that another process is using."""
    message = f"waiting for the device {device!r}: another mirpipe process is using it"
    if logs.is_json():
        _log.info(message)
    else:
        Console(stderr=True).print(message, markup=False, highlight=False)


def _line_printer(console: Console, label: str) -> Callable[[int, int], None]:
    """Return a function `(done, total)` that prints or logs lines with the time that is left."""
    last_tenth, started = -1, time.monotonic()
    last_line = started

    def print_line(done: int, total: int) -> None:
        nonlocal last_tenth, last_line
        tenth, now = 10 * done // max(total, 1), time.monotonic()
        if tenth <= last_tenth and now - last_line < MAX_SILENT_SECONDS:
            return
        last_tenth, last_line = tenth, now
        left = (now - started) * (total - done) / done if 0 < done < total else None
        if logs.is_json():
            extra = {"done": done, "total": total, "left_seconds": left and round(left)}
            _log.info(label, extra=extra)
        else:
            text = logs.progress_text(label, done, total, left)
            console.print(text, markup=False, highlight=False)

    return print_line

"""Progress bars and waiting messages on stderr. Only results go to stdout."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirpipe import logs

_log = logging.getLogger("mirpipe.progress")


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function `(done, total)` that updates a progress bar.

    If stderr is not a terminal, the function prints one line for every ten percent instead.
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
    """Return a function `(done, total)` that prints or logs one line for every ten percent."""
    last_tenth = -1

    def print_line(done: int, total: int) -> None:
        nonlocal last_tenth
        tenth = 10 * done // max(total, 1)
        if tenth <= last_tenth:
            return
        last_tenth = tenth
        if logs.is_json():
            _log.info(label, extra={"done": done, "total": total})
        else:
            console.print(f"{label}: {done} of {total}", markup=False, highlight=False)

    return print_line

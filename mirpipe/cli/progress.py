"""Progress bars on stderr, so that stdout holds results alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A callable `(done, total)` that draws a bar; in a log it prints a line every ten percent."""
    console = Console(stderr=True)
    if not console.is_terminal:
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
    Console(stderr=True).print(
        f"waiting for the device {device!r}: another process of mirpipe has it",
        markup=False,
        highlight=False,
    )


def _lines(console: Console, label: str) -> Callable[[int, int], None]:
    said = -1

    def say(done: int, total: int) -> None:
        nonlocal said
        tenth = 10 * done // max(total, 1)
        if tenth > said:
            said = tenth
            console.print(f"{label}: {done} of {total}", markup=False, highlight=False)

    return say

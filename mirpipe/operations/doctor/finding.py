"""The result of one check: a level, a message, and a remedy if something is wrong."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]
"""`warning`: the user should know about this. `problem`: mirpipe does not work correctly."""


@dataclass(frozen=True)
class Finding:
    """One output line of `mirpipe doctor`."""

    check: str
    level: Level
    message: str
    remedy: str = ""
    """What the user can do. Empty if the level is `ok`."""


def ok(check: str, message: str) -> Finding:
    """Return a finding for a check that found nothing wrong."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """Return a finding about something that works but may surprise the user."""
    return Finding(check, "warning", message, remedy)


def problem(check: str, message: str, remedy: str) -> Finding:
    """Return a finding about something that does not work or gives wrong results."""
    return Finding(check, "problem", message, remedy)


def shorten(names: list[str], *, max_names: int = 3) -> str:
    """Return the first names and the number of the others, such as "a, b, c and 4 more"."""
    more = f" and {len(names) - max_names} more" if len(names) > max_names else ""
    return ", ".join(names[:max_names]) + more

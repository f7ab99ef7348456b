"""What a check found: well or not, in a line, with the remedy."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of a diagnosis; `remedy` is empty where all is well.

    A warning is something to know of; a problem keeps mirpipe from doing its work.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(check, "warning", message, remedy)


def problem(check: str, message: str, remedy: str) -> Finding:
    """It does not work, or what it says cannot be trusted."""
    return Finding(check, "problem", message, remedy)


def some(names: list[str], *, most: int = 3) -> str:
    """The first names and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

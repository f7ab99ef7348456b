"""Prepares text for the terminal: table width, titles in any script, and markup characters."""

import os
import re
from typing import IO
from unicodedata import bidirectional

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mirpipe.db.queries.same_recordings import relation_name

WIDTH_WITHOUT_TERMINAL = 160
"""Width of a table in characters if the output is not a terminal."""

_RIGHT_TO_LEFT = {"R", "AL", "AN"}
"""Unicode classes of characters that are written from right to left."""
_WORD = re.compile(r"(?:`[^`]*`|\S)+")
"""A command between backticks, or text without spaces."""


def wide_console(file: IO[str] | None = None) -> Console:
    """Return a console for tables that writes to `file`, or to stdout if `file` is None.

    It is as wide as the terminal. If the output is not a terminal, it is as wide as the variable
    COLUMNS states, or WIDTH_WITHOUT_TERMINAL.
    """
    console = Console(file=file)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(file=file, width=WIDTH_WITHOUT_TERMINAL)


def printable_title(title: str) -> Text:
    """Return the title as text that cannot control the terminal.

    Characters that are not printable are replaced. A title with right-to-left characters is
    isolated, so that it does not reverse the text next to it.
    """
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in title
    )
    if any(bidirectional(character) in _RIGHT_TO_LEFT for character in shown):
        shown = f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}"
    return Text(shown)


def marked_title(title: str, relation: str | None) -> Text:
    """Return the title, and in brackets that the track is the same recording as its target."""
    shown = printable_title(title)
    return shown.append(f" ({relation_name(relation)})") if relation else shown


def escape_markup(value: str) -> str:
    """Return the text with escaped brackets, so that rich does not read them as markup."""
    return value.replace("[", r"\[")


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text for this width in characters.

    The text is broken at spaces. A command between backticks is never broken, so that it can be
    copied. A command or a path that is too wide has a line to itself.
    """
    lines: list[str] = []
    for word in _WORD.findall(text):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines

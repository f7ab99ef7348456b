"""HTML fragments that show any text literally: titles are never parsed as Markdown or HTML."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup


def show(*pieces: Markup) -> None:
    """Draw the fragments one after the other, or nothing if all of them are empty."""
    body = str(Markup("").join(pieces))
    if body:
        st.html(body)


def title(text: str) -> Markup:
    """Return a title in bold. Its writing direction does not affect the text around it."""
    return Markup("<bdi class='mp-title'>{}</bdi>").format(text)


def any_direction(text: str) -> Markup:
    """Return text whose writing direction does not affect the text around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def path(text: str) -> Markup:
    """Return a path in small print, which is broken across lines where it is too long."""
    return Markup("<small class='mp-path'><bdi>{}</bdi></small>").format(text)


def quote(text: str) -> Markup:
    """Return a caption or a message with a minimum width, broken across lines."""
    return Markup("<div class='mp-quote'><bdi>{}</bdi></div>").format(text)


def large_title(text: str) -> Markup:
    """Return the title of the track that a page is about, as the heading of the page."""
    return Markup("<h1 class='mp-large-title'><bdi>{}</bdi></h1>").format(text)


def sentence(template: str, *values: str | Markup) -> Markup:
    """Return a sentence. The values replace the braces of the template."""
    return Markup("<div>{}</div>").format(Markup(template).format(*values))


def definition_list(values: Sequence[tuple[str, str]]) -> Markup:
    """Return names and texts below each other, or nothing if there are none."""
    if not values:
        return Markup("")
    row = Markup("<dt>{}</dt><dd><bdi>{}</bdi></dd>")
    return Markup("<dl class='mp-definitions'>{}</dl>").format(
        Markup("").join(row.format(*value) for value in values)
    )


def muted_line(text: str) -> Markup:
    """Return a grey line whose writing direction does not affect the text around it."""
    return Markup("<div class='mp-muted'><bdi>{}</bdi></div>").format(text)


def no_wrap(text: str | Markup) -> Markup:
    """Return text that is never broken across lines."""
    return Markup("<span class='mp-nowrap'>{}</span>").format(text)


def wide(text: str | Markup) -> Markup:
    """Return text with a minimum width, so that a narrow table does not squeeze it."""
    return Markup("<div class='mp-wide'>{}</div>").format(text)


def small_line(text: str) -> Markup:
    """Return a remark in small print, on a separate line below a number or a name."""
    return Markup("<small>{}</small>").format(text)


def phone_line(text: str) -> Markup:
    """Return a line in small print for narrow windows, where the columns with it are not visible.

    An empty text gives nothing.
    """
    return Markup("<small class='mp-phone'>{}</small>").format(text) if text else Markup("")


def remark(text: str) -> Markup:
    """Return a remark about the element above it. Even an empty remark takes up one line."""
    return Markup("<div class='mp-remark'>{}</div>").format(text)


def badge(text: str) -> Markup:
    """Return a short text in a frame."""
    return Markup("<span class='mp-badge'>{}</span>").format(text)


def warning_box(heading: str, lines: Sequence[str]) -> Markup:
    """Return a framed warning: a heading and a list of lines."""
    items = Markup("").join(Markup("<li><bdi>{}</bdi></li>").format(line) for line in lines)
    return Markup("<div class='mp-warning'><strong>{}</strong><ul>{}</ul></div>").format(
        heading, items
    )


def collapsed_list(heading: str, lines: Sequence[str]) -> Markup:
    """Return a heading that, when clicked, shows a list of sentences."""
    items = Markup("").join(Markup("<li>{}</li>").format(line) for line in lines)
    return Markup("<details class='mp-details'><summary>{}</summary><ul>{}</ul></details>").format(
        heading, items
    )


def large_numbers(values: Sequence[tuple[str | Markup, str, str]]) -> Markup:
    """Return a row of large numbers, from tuples of name, number and remark."""
    cell = Markup("<div><dt>{}</dt><dd>{}</dd><dd class='mp-muted'>{}</dd></div>")
    cells = Markup("").join(cell.format(*value) for value in values)
    return Markup("<dl class='mp-large-numbers'>{}</dl>").format(cells)


def named_values(values: Sequence[tuple[str, str | Markup]], *, wrap: bool = False) -> Markup:
    """Return small numbers next to each other, from tuples of name and number.

    Each row has four numbers. With `wrap`, each row has as many numbers as fit.
    """
    cell = Markup("<div><dt>{}</dt><dd>{}</dd></div>")
    cells = Markup("").join(cell.format(*value) for value in values)
    return Markup("<dl class='mp-values{}'>{}</dl>").format(
        Markup(" mp-wrap" if wrap else ""), cells
    )

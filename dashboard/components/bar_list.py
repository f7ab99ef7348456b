"""A bar chart as a list, whose names can be links: it needs no script and can be read aloud."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.components.number_format import format_number


@dataclass(frozen=True)
class Bar:
    """One bar."""

    name: Markup | str
    count: int
    note: str = ""
    """Text behind the name, such as the severity of a finding."""


def bar_list(name: str, bars: Sequence[Bar]) -> Markup:
    """Return the bars as a list. `name` is its label for screen readers."""
    largest = max(bar.count for bar in bars)
    lines = Markup("").join(
        Markup(
            "<li><span class='mp-bar-name'>{}{}</span><span class='mp-bar-line'>"
            "<span class='mp-bar' style='width:{:.1f}%'></span></span>"
            "<span class='mp-number'>{}</span></li>"
        ).format(
            bar.name,
            Markup(" <span class='mp-muted'>{}</span>").format(bar.note) if bar.note else "",
            100 * bar.count / largest,
            format_number(bar.count, 0),
        )
        for bar in bars
    )
    return Markup("<ul class='mp-bars' aria-label='{}'>{}</ul>").format(name, lines)


def filter_link(text: str, address: str) -> Markup:
    """Return a link that filters a page in the same session."""
    return Markup("<a class='mp-track' href='{}'><bdi>{}</bdi></a>").format(address, text)

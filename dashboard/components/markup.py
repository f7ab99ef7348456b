"""Pieces of HTML that show any text as it is: titles are never read as markdown or markup."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import streamlit as st
from markupsafe import Markup, escape


class Averaged(Protocol):
    """A mean over targets, as reports give it."""

    @property
    def mean(self) -> float | None: ...
    @property
    def sd(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def undefined_n(self) -> int: ...


class Compared(Protocol):
    """A difference over targets, as reports give it."""

    @property
    def mean_difference(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def higher_n(self) -> int: ...
    @property
    def p_holm(self) -> float | None: ...
    @property
    def established(self) -> bool: ...


DASH = "–"
RANDOM = "random weights"


def show(*pieces: Markup) -> None:
    """Draws the pieces, one after the other; nothing where all are empty."""
    body = str(Markup("").join(pieces))
    if body:
        st.html(body)


def title(text: str) -> Markup:
    """A title whose direction is its own and leaves that of its surroundings alone."""
    return Markup("<bdi class='mp-title'>{}</bdi>").format(text)


def line(text: str) -> Markup:
    """A line of second rank, in a direction of its own."""
    return Markup("<div class='mp-muted'><bdi>{}</bdi></div>").format(text)


def together(text: str | Markup) -> Markup:
    """Text that does not break over lines."""
    return Markup("<span class='mp-together'>{}</span>").format(text)


def roomy(text: str | Markup) -> Markup:
    """Text that a table leaves room for, however narrow the window."""
    return Markup("<div class='mp-roomy'>{}</div>").format(text)


def badge(text: str) -> Markup:
    """A marking in words."""
    return Markup("<span class='mp-badge'>{}</span>").format(text)


def note(text: str) -> Markup:
    """A remark that qualifies what stands above it."""
    return Markup("<div class='mp-note'>{}</div>").format(text)


def alert(head: str, lines: Sequence[str]) -> Markup:
    """Something that a reader must not miss: a head in words and its lines."""
    items = Markup("").join(Markup("<li><bdi>{}</bdi></li>").format(one) for one in lines)
    return Markup("<div class='mp-alert'><strong>{}</strong><ul>{}</ul></div>").format(head, items)


def figures(values: Sequence[tuple[str, str, str]]) -> Markup:
    """Numbers with their name above and a remark below each: (name, number, remark)."""
    cell = Markup("<div><dt>{}</dt><dd>{}</dd><dd class='mp-muted'>{}</dd></div>")
    cells = Markup("").join(cell.format(*value) for value in values)
    return Markup("<dl class='mp-figures'>{}</dl>").format(cells)


def readings(values: Sequence[tuple[str, str]], *, wrap: bool = False) -> Markup:
    """Measurements side by side, (name, number): four in a row, or as many as there is room for."""
    cell = Markup("<div><dt>{}</dt><dd>{}</dd></div>")
    cells = Markup("").join(cell.format(*value) for value in values)
    return Markup("<dl class='mp-readings{}'>{}</dl>").format(
        Markup(" mp-wrap" if wrap else ""), cells
    )


def folded(head: str, lines: Sequence[str]) -> Markup:
    """Sentences that unfold at a click."""
    items = Markup("").join(Markup("<li>{}</li>").format(one) for one in lines)
    return Markup("<details class='mp-why'><summary>{}</summary><ul>{}</ul></details>").format(
        head, items
    )


def small(text: str) -> Markup:
    """A remark on a line of its own, below a number or a name."""
    return Markup("<small>{}</small>").format(text)


def table(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Markup]],
    *,
    numeric: Sequence[int] = (),
    narrow: bool = False,
) -> Markup:
    """A table; `name` is for screen readers, `numeric` columns (from 0) stand flush right."""

    def cells(tag: str, values: Sequence[str | Markup]) -> Markup:
        return Markup("").join(
            Markup("<{0}{1}>{2}</{0}>").format(
                Markup(tag), Markup(" class='mp-number'" if at in numeric else ""), value
            )
            for at, value in enumerate(values)
        )

    head = Markup("<tr>{}</tr>").format(cells("th", columns))
    body = Markup("").join(Markup("<tr>{}</tr>").format(cells("td", row)) for row in rows)
    return Markup(
        "<div class='mp-scroll' tabindex='0' role='region' aria-label='{}'>"
        "<table class='mp-table{}'><thead>{}</thead><tbody>{}</tbody></table></div>"
    ).format(name, Markup(" mp-narrow" if narrow else ""), head, body)


def weights(plugin: str, licence: str, *, random: bool) -> Markup:
    """A plug-in's name, and what a reader must know of its weights."""
    mark = badge(RANDOM) if random else ""
    return Markup("<h3 class='mp-encoder'>{} {}</h3>").format(plugin, mark) + line(
        f"licence of weights: {licence or 'not stated'}"
    )


def number(value: float | None, decimals: int) -> str:
    """The value with a true minus sign, none before a zero; a dash where there is no value."""
    return DASH if value is None else f"{value:z,.{decimals}f}".replace("-", "−")


def spread(mean: float | None, sd: float | None, decimals: int) -> Markup:
    """Mean and standard deviation, the second less loud."""
    if mean is None:
        return escape(DASH)
    return Markup("{}&nbsp;<span class='mp-muted'>±&nbsp;{}</span>").format(
        number(mean, decimals), number(sd, decimals)
    )


def averaged(row: Averaged, decimals: int) -> Markup:
    """Mean ± sd above its interval and n, with how many are undefined where any are."""
    undefined = f", {row.undefined_n} undefined" if row.undefined_n else ""
    return (
        spread(row.mean, row.sd, decimals)
        + interval(row.low, row.high, decimals)
        + small(f"n = {row.n}{undefined}")
    )


def interval(low: float | None, high: float | None, decimals: int) -> Markup:
    """A 95 % interval on a line of its own; nothing where there is none."""
    if low is None or high is None:
        return Markup("")
    return small(f"{number(low, decimals)} … {number(high, decimals)}")


def difference(row: Compared, decimals: int) -> Markup:
    """A mean difference above its interval, at how many targets, and whether it is established."""
    p = "no test" if row.p_holm is None else f"p = {row.p_holm:.3f}"
    mark = Markup("<strong>✓ established</strong>") if row.established else Markup("")
    return (
        Markup("<span>{}</span>").format(number(row.mean_difference, decimals))
        + interval(row.low, row.high, decimals)
        + small(f"n = {row.n}, higher at {row.higher_n}")
        + small(p)
        + mark
    )


def length(seconds: float) -> str:
    """A duration in its two largest units."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours:,} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"


def moment(when: datetime) -> str:
    """Date and time where the viewer is, in UTC where that is not known."""
    zone = st.context.timezone
    local = when.astimezone(ZoneInfo(zone or "UTC"))
    return f"{local:%Y-%m-%d %H:%M}" + ("" if zone else " UTC")

"""A chart of means and intervals for an HTML page: a table with one drawn row per encoder or mode.

It is drawn here, because a chart library that writes SVG (vl-convert) has 33 MB, and its colours do
not follow the page's light and dark theme. As a table, it can be read aloud and copied.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mirpipe.db.queries.number_text import number_text

WIDTH, HEIGHT, MARGIN = 360, 24, 12
"""Size of a drawn row, and the space at its left and right, in pixels."""
MAX_TICKS = 5
TINY = 1e-100
"""Values and differences below this are drawn as 0."""

_ROW = Markup(
    "<tr><th scope='row'><bdi>{label}</bdi></th><td>{drawing}</td><td class='value'>{value}</td>"
    "</tr>"
)
_DRAWING = Markup("<svg width='{width}' height='{height}' aria-hidden='true'>{marks}</svg>")
_INTERVAL = Markup(
    "<line x1='{low:.1f}' x2='{high:.1f}' y1='{y}' y2='{y}' stroke='#828a94' stroke-width='3'/>"
)
_MEAN = Markup("<circle cx='{x:.1f}' cy='{y}' r='5' fill='currentColor'/>")
_TICK = Markup("<line x1='{x:.1f}' x2='{x:.1f}' y1='0' y2='{height}' stroke='#8884'/>")
_TICK_LABEL = Markup(
    "<text x='{x:.1f}' y='16' text-anchor='middle' font-size='12' fill='currentColor'>{text}</text>"
)


@dataclass(frozen=True)
class Row:
    """A row of the chart. `mean`, `low` and `high` are None if they are undefined."""

    label: str
    mean: float | None
    low: float | None
    high: float | None
    n: int
    """Number of targets."""


def interval_chart(caption: str, rows: Sequence[Row]) -> Markup:
    """Return the chart as an HTML table, or empty markup if no row has a mean."""
    means = [row.mean for row in rows if row.mean is not None]
    if not means:
        return Markup("")
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    scale = _Scale(*_ticks(min(means + ends), max(means + ends)))
    lines = Markup("").join(
        _ROW.format(label=row.label, drawing=_drawn(scale.marks(row)), value=_value(row))
        for row in rows
    )
    axis = Markup("<tr><td></td><td>{}</td><td></td></tr>").format(_drawn(scale.tick_labels()))
    return Markup(
        "<div class='scroll' tabindex='0' role='region' aria-label='{caption}'>"
        "<table class='chart'><caption>{caption}</caption>{lines}{axis}</table></div>"
    ).format(caption=caption, lines=lines, axis=axis)


@dataclass(frozen=True)
class _Scale:
    """A linear scale from the first to the last tick."""

    ticks: tuple[float, ...]
    digits: int

    def x(self, value: float) -> float:
        """Return the horizontal position of a value, in pixels."""
        first, last = self.ticks[0], self.ticks[-1]
        return MARGIN + (value - first) / (last - first) * (WIDTH - 2 * MARGIN)

    def marks(self, row: Row) -> Markup:
        """Return the grid lines, the interval and the mean."""
        marks = [_TICK.format(x=self.x(tick), height=HEIGHT) for tick in self.ticks]
        middle = HEIGHT // 2
        if row.low is not None and row.high is not None:
            marks.append(_INTERVAL.format(low=self.x(row.low), high=self.x(row.high), y=middle))
        if row.mean is not None:
            marks.append(_MEAN.format(x=self.x(row.mean), y=middle))
        return Markup("").join(marks)

    def tick_labels(self) -> Markup:
        texts = ((self.x(tick), number_text(tick, f".{self.digits}f")) for tick in self.ticks)
        return Markup("").join(_TICK_LABEL.format(x=x, text=text) for x, text in texts)


def _drawn(marks: Markup) -> Markup:
    return _DRAWING.format(width=WIDTH, height=HEIGHT, marks=marks)


def _value(row: Row) -> str:
    if row.mean is None:
        return "–"
    interval = ""
    if row.low is not None and row.high is not None:
        interval = f" [{number_text(row.low, '.3f')}, {number_text(row.high, '.3f')}]"
    return f"{number_text(row.mean, '.3f')}{interval}, n = {row.n:,}"


def _ticks(low: float, high: float) -> tuple[tuple[float, ...], int]:
    """Return at most MAX_TICKS + 1 round values from at or below `low` to at or above `high`.

    Also returns the number of decimals that they need.
    """
    span, largest = high - low, max(abs(low), abs(high))
    if span <= max(1e-9 * largest, TINY):  # ticks would coincide
        span = largest if largest > TINY else 1.0
    power = math.floor(math.log10(span / MAX_TICKS))
    step = next(
        factor * 10.0**power for factor in (1, 2, 5, 10) if factor * 10.0**power * MAX_TICKS >= span
    )
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return tuple(step * number for number in range(first, last + 1)), max(0, -power)

"""A chart with several histograms below each other, in which single values are marked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from dashboard.components.charts import GREY

ROW_PIXELS, AXIS_PIXELS = 56, 50
HIGHEST_BAR = 0.8
"""Height of the highest bar of a histogram, as a share of the histogram's row."""
MARK_COLOUR = "#D55E00"


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram in a row. `share` is the share of the row's values."""

    row: str
    low: float
    high: float
    share: float


@dataclass(frozen=True)
class Mark:
    """A marked value in a row, with the name that the tooltip shows."""

    row: str
    value: float
    name: str


def histogram_rows(
    bars: Sequence[Bar], marks: Sequence[Mark], rows: Sequence[str], *, title: str
) -> alt.LayerChart:
    """Return the chart. `bars` must not be empty, and `title` is the title of the axis.

    The heights of the bars are relative to the highest bar of their row.
    """
    foot = {row: index for index, row in enumerate(reversed(rows))}
    drawn = pd.DataFrame(bars)
    drawn["foot"] = drawn["row"].map(foot)
    highest = drawn.groupby("row")["share"].transform("max")
    drawn["top"] = drawn["foot"] + HIGHEST_BAR * drawn["share"] / highest
    names = json.dumps(["", *reversed(rows)])
    y = alt.Y(
        "foot:Q",
        title=None,
        scale=alt.Scale(domain=[0, len(rows)], nice=False),
        axis=alt.Axis(
            values=[index + HIGHEST_BAR / 2 for index in range(len(rows))],
            labelExpr=f"{names}[ceil(datum.value)]",
            grid=False,
            ticks=False,
            domain=False,
            labelLimit=110,
        ),
    )

    def x(field: str) -> alt.X:
        axis = alt.Axis(tickCount=5, labelFlush=False)
        return alt.X(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(zero=False))

    histograms = (
        alt.Chart(drawn)
        .mark_rect(color=GREY)
        .encode(
            x=x("low"),
            x2=alt.X2("high:Q"),
            y=y,
            y2=alt.Y2("top:Q"),
            tooltip=[
                alt.Tooltip("row:N"),
                alt.Tooltip("low:Q", title="from", format=".3f"),
                alt.Tooltip("high:Q", title="to", format=".3f"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    height = ROW_PIXELS * len(rows) + AXIS_PIXELS
    if not marks:
        return alt.LayerChart(layer=[histograms], height=height)
    lines = pd.DataFrame(marks)
    lines["foot"] = lines["row"].map(foot)
    lines["top"] = lines["foot"] + HIGHEST_BAR
    rules = (
        alt.Chart(lines)
        .mark_rule(color=MARK_COLOUR, strokeWidth=2)
        .encode(
            x=x("value"),
            y=y,
            y2=alt.Y2("top:Q"),
            tooltip=[
                alt.Tooltip("row:N"),
                alt.Tooltip("name:N"),
                alt.Tooltip("value:Q", format=".3f"),
            ],
        )
    )
    return alt.LayerChart(layer=[histograms, rules], height=height)

"""Charts that several pages use: mean and interval per encoder or mode, and line charts by rank."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from dashboard.components.statistics_cells import Mean

ROW_PIXELS, AXIS_PIXELS, LINE_CHART_PIXELS = 30, 60, 300
LABEL_PIXELS = 150
GREY = "#828a94"
"""Colour of interval lines: a grey that is visible on white and on near-black backgrounds."""


def tooltips(*fields: str) -> list[alt.Tooltip]:
    """Return a tooltip that shows these fields.

    Altair also accepts the names alone, but then takes 10 ms to find the class of each.
    """
    return [alt.Tooltip(field) for field in fields]


def means_by_name(
    rows: Mapping[str, Mean], *, axis: str, marked_value: float | None = None
) -> alt.LayerChart:
    """Return a chart of one metric: for each name, a dot at the mean and the 95% interval.

    `axis` is the title of the axis. `marked_value` adds a dashed line, such as the chance level.
    """
    fields = ("mean", "low", "high", "sd", "n")
    data = pd.DataFrame(
        [
            {"name": name, **{field: getattr(row, field) for field in fields}}
            for name, row in rows.items()
            if row.mean is not None
        ]
    )
    order = list(data["name"])
    y = alt.Y(
        "name:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelLimit=LABEL_PIXELS, labelOverlap=False, labelFlush=False, ticks=False),
    )
    x = alt.X(
        "mean:Q",
        title=axis,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=4, labelFlush=False),
    )
    base = alt.Chart(data).encode(y=y, tooltip=tooltips("name", *fields))
    intervals = base.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=axis, scale=alt.Scale(zero=False)), x2=alt.X2("high:Q")
    )
    layers = [
        *interval_layers(data, intervals),
        base.mark_point(size=90, filled=True, opacity=1).encode(x=x),
    ]
    if marked_value is not None:
        line = alt.Chart(pd.DataFrame({"marked": [marked_value]}))
        layers.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(x=alt.X("marked:Q")))
    return alt.LayerChart(layer=layers, height=ROW_PIXELS * len(order) + AXIS_PIXELS)


def interval_layers(data: pd.DataFrame, intervals: alt.Chart) -> list[alt.Chart]:
    """Return a list with the interval layer, or an empty list if `data` contains no interval.

    An empty layer is avoided because screen readers could not name a layer without marks.
    """
    return [intervals] if data["low"].notna().any() else []


def lines_over_rank(
    points: pd.DataFrame, *, y: str, series: str, x_title: str, y_title: str
) -> alt.Chart:
    """Return a line chart over the column `rank`, with one line per value of the column `series`.

    The lines differ in colour and in the shape of their dots.
    """
    legend = alt.Legend(title=None, orient="bottom", columns=2)
    order = list(dict.fromkeys(points[series]))
    chart: alt.Chart = (
        alt.Chart(points, height=LINE_CHART_PIXELS)
        .mark_line(point={"size": 60, "filled": True, "opacity": 1})
        .encode(
            x=alt.X("rank:O", title=x_title, axis=alt.Axis(labelAngle=0)),
            y=alt.Y(f"{y}:Q", title=y_title, scale=alt.Scale(zero=False)),
            color=alt.Color(f"{series}:N", sort=order, legend=legend),
            shape=alt.Shape(f"{series}:N", sort=order, legend=legend),
            tooltip=tooltips(*points.columns),
        )
    )
    return chart

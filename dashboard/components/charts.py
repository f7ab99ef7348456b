"""Charts of what reports return."""

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt
import pandas as pd

from mirpipe.db import queries

ROW_PIXELS, AXIS_PIXELS, GUIDANCE_PIXELS, CURVE_PIXELS = 30, 60, 260, 300
GREY = "#828a94"
"""Stands out from a white and from a near black ground alike."""


def comparison(
    rows: Sequence[queries.Summary], *, axis: str, mark: float | None = None
) -> alt.LayerChart:
    """One metric by encoder: a dot at its mean on the line of its 95 % interval.

    `mark` draws a dashed line where a value has a meaning of its own, as chance has.
    """
    data = pd.DataFrame([row for row in rows if row.mean is not None])
    order = list(data["encoder"])
    y = alt.Y(
        "encoder:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelLimit=110, labelOverlap=False, labelFlush=False, ticks=False),
    )
    x = alt.X(
        "mean:Q",
        title=axis,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=4, labelFlush=False),
    )
    points = alt.Chart(data).encode(y=y, tooltip=["encoder", "mean", "low", "high", "sd", "n"])
    spread = points.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=axis, scale=alt.Scale(zero=False)), x2="high:Q"
    )
    layers = [
        *present(data, spread),
        points.mark_point(size=90, filled=True, opacity=1).encode(x=x),
    ]
    if mark is not None:
        line = alt.Chart(pd.DataFrame({"mark": [mark]}))
        layers.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(x="mark:Q"))
    return alt.LayerChart(layer=layers, height=ROW_PIXELS * len(order) + AXIS_PIXELS)


def present(data: pd.DataFrame, spread: alt.Chart) -> list[alt.Chart]:
    """The layer of intervals where there are any: an empty one has no name for screen readers."""
    return [spread] if data["low"].notna().any() else []


def by_guidance(rows: Sequence[queries.GenerationSummary]) -> alt.LayerChart:
    """One metric of one generator over guidance: a dot a mode on the line of its 95 % interval.

    Modes differ in shape, too, and stand side by side where they share a guidance.
    """
    data = pd.DataFrame([asdict(row) for row in rows])
    points = alt.Chart(data).encode(
        x=alt.X("guidance:O", title="guidance", axis=alt.Axis(labelAngle=0, format="~g")),
        xOffset=alt.XOffset("mode:N", sort=list(data["mode"])),
        tooltip=["mode", "guidance", "mean", "low", "high", "sd", "n"],
    )
    scale = alt.Scale(zero=False)
    spread = points.mark_rule(strokeWidth=2, color=GREY).encode(
        y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"
    )
    legend = alt.Legend(title=None, orient="bottom")
    dots = points.mark_point(size=90, filled=True, opacity=1).encode(
        y=alt.Y("mean:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4)),
        color=alt.Color("mode:N", sort=list(data["mode"]), legend=legend),
        shape=alt.Shape("mode:N", sort=list(data["mode"]), legend=legend),
    )
    return alt.LayerChart(layer=[*present(data, spread), dots], height=GUIDANCE_PIXELS)


def exchange(points: pd.DataFrame, *, across: str, up: str) -> alt.LayerChart:
    """What is gained by one metric against what by another: a path over guidance a generator.

    Columns of `points`: generator, mode, guidance, x, y.
    """
    zero = alt.Scale(zero=False, padding=20)
    base = alt.Chart(points).encode(
        x=alt.X("x:Q", title=across, scale=zero),
        y=alt.Y("y:Q", title=up, scale=zero),
        color=alt.Color("generator:N", legend=alt.Legend(title=None, orient="bottom")),
        tooltip=["generator", "mode", "guidance", "x", "y"],
    )
    path = base.mark_line(strokeWidth=1.5, opacity=0.6).encode(order="guidance:Q")
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(
        shape=alt.Shape("generator:N", legend=None)
    )
    names = base.mark_text(align="left", dx=9, dy=-6).encode(text="label:N")
    return alt.LayerChart(layer=[path, dots, names], height=CURVE_PIXELS)


def curves(points: pd.DataFrame, *, x: str, y: str, series: str, across: str, up: str) -> alt.Chart:
    """A line with dots a series, which differ in shape, too; x counts in whole numbers."""
    legend = alt.Legend(title=None, orient="bottom", columns=2)
    order = list(dict.fromkeys(points[series]))
    drawn: alt.Chart = (
        alt.Chart(points, height=CURVE_PIXELS)
        .mark_line(point={"size": 60, "filled": True, "opacity": 1})
        .encode(
            x=alt.X(f"{x}:O", title=across, axis=alt.Axis(labelAngle=0)),
            y=alt.Y(f"{y}:Q", title=up, scale=alt.Scale(zero=False)),
            color=alt.Color(f"{series}:N", sort=order, legend=legend),
            shape=alt.Shape(f"{series}:N", sort=order, legend=legend),
            tooltip=list(points.columns),
        )
    )
    return drawn


def growth(points: pd.DataFrame) -> alt.Chart:
    """Usable tracks over time, a stepped line a collection; each scale is a tenfold."""
    order = list(dict.fromkeys(points["collection"]))
    legend = alt.Legend(title=None, orient="bottom")
    drawn: alt.Chart = (
        alt.Chart(points[points["tracks"] > 0], height=GUIDANCE_PIXELS)
        .mark_line(interpolate="step-after", point={"size": 50, "filled": True, "opacity": 1})
        .encode(
            x=alt.X("finished:T", title=None),
            y=alt.Y("tracks:Q", title="usable tracks", scale=alt.Scale(type="log")),
            color=alt.Color("collection:N", sort=order, legend=legend),
            shape=alt.Shape("collection:N", sort=order, legend=legend),
            tooltip=["run", "finished", "collection", "tracks"],
        )
    )
    return drawn

"""Charts of what reports return."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from mirpipe.db import reports

ROW_PIXELS, AXIS_PIXELS, GUIDANCE_PIXELS = 30, 60, 260
GREY = "#828a94"
"""Stands out from a white and from a near black ground alike."""


def comparison(
    rows: Sequence[reports.Summary], *, axis: str, mark: float | None = None
) -> alt.LayerChart:
    """One metric by encoder: a dot at its mean and a line one sd to each side.

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
    points = alt.Chart(data).encode(y=y, tooltip=["encoder", "mean", "sd", "n"])
    spread = (
        points.transform_calculate(low="datum.mean - datum.sd", high="datum.mean + datum.sd")
        .mark_rule(strokeWidth=2, color=GREY)
        .encode(x=alt.X("low:Q", title=axis, scale=alt.Scale(zero=False)), x2="high:Q")
    )
    layers = [spread, points.mark_point(size=90, filled=True, opacity=1).encode(x=x)]
    if mark is not None:
        line = alt.Chart(pd.DataFrame({"mark": [mark]}))
        layers.append(line.mark_rule(strokeDash=[4, 3], color=GREY).encode(x="mark:Q"))
    return alt.LayerChart(layer=layers, height=ROW_PIXELS * len(order) + AXIS_PIXELS)


def by_guidance(rows: Sequence[reports.GenerationSummary]) -> alt.LayerChart:
    """One metric of one generator over guidance: a dot a mode at its mean, a line of one sd.

    Modes differ in shape, too, and stand side by side where they share a guidance.
    """
    data = pd.DataFrame(
        [
            {"guidance": row.guidance, "mode": row.mode, "mean": row.mean, "sd": row.sd, "n": row.n}
            for row in rows
        ]
    )
    points = alt.Chart(data).encode(
        x=alt.X("guidance:O", title="guidance", axis=alt.Axis(labelAngle=0, format="~g")),
        xOffset=alt.XOffset("mode:N", sort=list(data["mode"])),
        tooltip=["mode", "guidance", "mean", "sd", "n"],
    )
    scale = alt.Scale(zero=False)
    spread = (
        points.transform_calculate(low="datum.mean - datum.sd", high="datum.mean + datum.sd")
        .mark_rule(strokeWidth=2, color=GREY)
        .encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q")
    )
    legend = alt.Legend(title=None, orient="bottom")
    dots = points.mark_point(size=90, filled=True, opacity=1).encode(
        y=alt.Y("mean:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4)),
        color=alt.Color("mode:N", sort=list(data["mode"]), legend=legend),
        shape=alt.Shape("mode:N", sort=list(data["mode"]), legend=legend),
    )
    return alt.LayerChart(layer=[spread, dots], height=GUIDANCE_PIXELS)

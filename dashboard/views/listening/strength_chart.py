"""A chart of the strengths of encoders or modes, with their intervals over listeners."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components.charts import AXIS_PIXELS, GREY, ROW_PIXELS, interval_layers, tooltips
from mirpipe.listening.results import ListeningResults

LEGEND_PIXELS = 40


def show(results: ListeningResults) -> None:
    """Draw the chart, or nothing if there are no strengths."""
    data = pd.DataFrame(
        [
            {
                "subject": each.subject,
                "criterion": criterion.criterion,
                "strength": each.log_strength,
                "low": each.low,
                "high": each.high,
            }
            for criterion in results.criteria
            for each in criterion.subjects
            if each.log_strength is not None
        ]
    )
    if data.empty:
        return
    st.header("What do listeners prefer?", anchor=False)
    st.altair_chart(_chart(data), alt=f"Strengths of the subjects of {results.name}")
    st.caption(
        "Each dot is the logarithm of the strength: a subject further to the right is preferred. "
        "The lines are 95% intervals over listeners. Strengths whose intervals overlap may still "
        "differ, so the table of comparisons decides which preferences are established."
    )


def _chart(data: pd.DataFrame) -> alt.LayerChart:
    """Return a chart with one row per subject, and in it one dot per criterion."""
    criteria = list(dict.fromkeys(data["criterion"]))
    order = list(dict.fromkeys(data["subject"]))
    scale = alt.Scale(zero=True)
    x_title = "strength (logarithm; 0 is the mean)"
    base = alt.Chart(data).encode(
        y=alt.Y(
            "subject:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelLimit=220, labelOverlap=False, ticks=False),
        ),
        yOffset=alt.YOffset("criterion:N", scale=alt.Scale(domain=criteria)),
        tooltip=tooltips(*data.columns),
    )
    lines = base.mark_rule(strokeWidth=2, color=GREY).encode(
        x=alt.X("low:Q", title=x_title, scale=scale), x2=alt.X2("high:Q")
    )
    legend = alt.Legend(title=None, orient="bottom") if len(criteria) > 1 else None
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(
        x=alt.X("strength:Q", title=x_title, scale=scale, axis=alt.Axis(tickCount=5)),
        color=alt.Color("criterion:N", sort=criteria, legend=legend),
        shape=alt.Shape("criterion:N", sort=criteria, legend=legend),
    )
    height = ROW_PIXELS * len(order) * len(criteria) + AXIS_PIXELS
    if legend is not None:
        height += LEGEND_PIXELS
    return alt.LayerChart(layer=[*interval_layers(data, lines), dots], height=height)

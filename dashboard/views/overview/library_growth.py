"""Library growth: the number of usable tracks at each run."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components.charts import tooltips
from dashboard.components.csv_download import download_button
from mirpipe.db import queries

CHART_PIXELS = 260
MINUTE = 60_000
"""One minute in the unit of the time axis, milliseconds."""
LARGEST_LINEAR_RATIO = 20
"""Largest ratio between the sizes of collections that are shown on a linear scale."""


def section(runs: Sequence[queries.PastRun]) -> None:
    """Draw the growth chart. `runs` must be sorted from newest to oldest."""
    st.header("How has the library grown?", anchor=False)
    if len(runs) < 2:
        st.caption("After the second run, a chart shows the growth of the library.")
        return
    points = pd.DataFrame(
        [
            {"run": run.run_id, "finished": run.finished_at, "tracks": tracks, "collection": name}
            for run in reversed(runs)
            for name, tracks in (
                ("references", run.references),
                ("targets", run.targets),
                ("clips", run.clips),
            )
        ]
    )
    st.altair_chart(growth_chart(points), alt="Usable tracks by collection, at each run")
    download_button(runs, name="Growth")


def growth_chart(points: pd.DataFrame) -> alt.Chart:
    """Return a chart over time with one stepped line per collection.

    The scale is logarithmic if the collections differ so much that a small one would look empty.
    """
    visible = points[points["tracks"] > 0]
    differ = visible["tracks"].max() > LARGEST_LINEAR_RATIO * visible["tracks"].min()
    y_title = "usable tracks (logarithmic)" if differ else "usable tracks"
    order = list(dict.fromkeys(points["collection"]))
    legend = alt.Legend(title=None, orient="bottom")
    # The labels show minutes, so ticks within the same minute would have the same label.
    axis = alt.Axis(format="%d %b %H:%M", tickCount=4, tickMinStep=MINUTE)
    chart: alt.Chart = (
        alt.Chart(visible, height=CHART_PIXELS)
        .mark_line(interpolate="step-after", point={"size": 50, "filled": True, "opacity": 1})
        .encode(
            x=alt.X("finished:T", title=None, axis=axis),
            y=alt.Y("tracks:Q", title=y_title, scale=alt.Scale(type="log" if differ else "linear")),
            color=alt.Color("collection:N", sort=order, legend=legend),
            shape=alt.Shape("collection:N", sort=order, legend=legend),
            tooltip=tooltips("run", "finished", "collection", "tracks"),
        )
    )
    return chart

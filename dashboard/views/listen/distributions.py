"""Where the matches of a target are in the distributions of cosines and z, for each encoder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components.charts import GREY
from dashboard.components.merged_ranks import RankedTrack
from dashboard.data import cached_queries
from mirpipe.db import queries

ROW_PIXELS, AXIS_PIXELS = 56, 50
HIGHEST_BAR = 0.8
"""Height of the highest bar of an encoder, as a share of the encoder's row."""
MARK_COLOUR = "#D55E00"


@dataclass(frozen=True)
class Mark:
    """The cosine or the z of a match, in the row of an encoder."""

    encoder: str
    value: float
    reference: str
    rank: int


def section(
    run: cached_queries.RunKey, tracks: Sequence[RankedTrack], encoders: Mapping[str, bool]
) -> None:
    """Draw the distributions of all encoders with the shown matches of the target."""
    bins = [row for row in cached_queries.cosine_distributions(run) if row.encoder in encoders]
    if not bins:
        return
    st.header("Do the matches stand out?", anchor=False)
    st.caption(
        "The orange lines are this target. Among the cosines of all reference pairs, they mark its "
        "matches. Among the z of the best matches of all targets, they mark its best match."
    )
    left, right = st.columns(2, gap="medium")
    for column, quantity, title in (
        (left, "cosine", "cosine (each encoder has its own space)"),
        (right, "z", "z"),
    ):
        shown = [row for row in bins if row.quantity == quantity]
        if not shown:
            continue
        with column:
            st.altair_chart(
                histogram_rows(shown, marks(tracks, quantity), list(encoders), title=title),
                alt=f"Distribution of {quantity} for each encoder, with the matches of the target",
            )


def marks(tracks: Sequence[RankedTrack], quantity: str) -> list[Mark]:
    """Return the cosines of all matches, or the z of the best match by each encoder."""
    return [
        Mark(encoder, value, track.title, rank.rank)
        for track in tracks
        for encoder, rank in track.ranks.items()
        if (value := rank.cosine if quantity == "cosine" else rank.z) is not None
        and (quantity == "cosine" or rank.rank == 1)
    ]


def histogram_rows(
    bins: Sequence[queries.HistogramBin],
    marked: Sequence[Mark],
    encoders: Sequence[str],
    *,
    title: str,
) -> alt.LayerChart:
    """Return a chart with one histogram per encoder below each other, and the marked values.

    The heights of the bars are relative to the highest bar of the encoder. `title` is that of the
    axis.
    """
    foot = {encoder: index for index, encoder in enumerate(reversed(encoders))}
    bars = pd.DataFrame(bins)
    bars["foot"] = bars["encoder"].map(foot)
    highest = bars.groupby("encoder")["share"].transform("max")
    bars["top"] = bars["foot"] + HIGHEST_BAR * bars["share"] / highest
    names = json.dumps(["", *reversed(encoders)])
    y = alt.Y(
        "foot:Q",
        title=None,
        scale=alt.Scale(domain=[0, len(encoders)], nice=False),
        axis=alt.Axis(
            values=[index + 0.4 for index in range(len(encoders))],
            labelExpr=f"{names}[ceil(datum.value)]",
            grid=False,
            ticks=False,
            domain=False,
            labelLimit=110,
        ),
    )
    height = ROW_PIXELS * len(encoders) + AXIS_PIXELS
    axis = alt.Axis(tickCount=5, labelFlush=False)
    scale = alt.Scale(zero=False)
    histogram = (
        alt.Chart(bars)
        .mark_rect(color=GREY)
        .encode(
            x=alt.X("low:Q", title=title, axis=axis, scale=scale),
            x2="high:Q",
            y=y,
            y2="top:Q",
            tooltip=[
                "encoder:N",
                alt.Tooltip("low:Q", format=".3f"),
                alt.Tooltip("high:Q", format=".3f"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    if not marked:
        return alt.LayerChart(layer=[histogram], height=height)
    lines = pd.DataFrame(marked)
    lines["foot"] = lines["encoder"].map(foot)
    lines["top"] = lines["foot"] + HIGHEST_BAR
    rules = (
        alt.Chart(lines)
        .mark_rule(color=MARK_COLOUR, strokeWidth=2)
        .encode(
            x=alt.X("value:Q", title=title, axis=axis, scale=scale),
            y=y,
            y2="top:Q",
            tooltip=["encoder:N", "reference:N", "rank:Q", alt.Tooltip("value:Q", format=".3f")],
        )
    )
    return alt.LayerChart(layer=[histogram, rules], height=height)

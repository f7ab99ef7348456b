"""Scatter plot of two encoders: how similar each finds the best match of every target."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components.charts import GREY
from dashboard.components.track_link import open_track
from dashboard.data import target_orders
from dashboard.data.cached_queries import RunKey
from dashboard.views.retrieval.similarity_scales import SimilarityScale
from mirpipe.db.queries.best_match_similarities import BestMatchSimilarity

HEIGHT = 380
MAX_POINTS = 300
"""Largest number of targets that are drawn, so that the page stays small."""
CLICK = "target"
"""Name of the chart's selection, which contains the clicked target."""
SAME, DIFFERENT = "same best match", "different best matches"


def section(
    run: RunKey, targets: Sequence[int], encoders: Sequence[str], scale: SimilarityScale
) -> None:
    """Draw the scatter plot of two encoders that the viewer chooses, if there are two.

    Of many targets, only every n-th is read and drawn.
    """
    if len(encoders) < 2:
        return
    st.header("For which targets do two encoders differ?", anchor=False)
    first, second = choose_pair(encoders)
    step = -(-len(targets) // MAX_POINTS)
    rows = target_orders.best_match_similarities(run, tuple(targets[::step]), (first, second))
    points = pair_points(rows, first, second, scale.field)
    if points.empty:
        st.caption("No target has a best match by both encoders.")
        return
    every = "" if step == 1 else f" {len(points):,} of {len(targets):,} targets are drawn."
    st.caption(
        "Each dot is a target. Its position is the similarity of its best match by each of the two "
        f"encoders.{every} Click a dot to open the page of the target."
    )
    event = st.altair_chart(
        scatter(points, first, second, scale),
        alt=f"{scale.title} of the best match of each target, {first} against {second}",
        key="encoder scatter",
        on_select="rerun",
        selection_mode=CLICK,
    )
    for clicked in event.selection.get(CLICK) or []:
        if clicked.get("target_id"):
            open_track(int(clicked["target_id"]))


def choose_pair(encoders: Sequence[str]) -> tuple[str, str]:
    """Draw the selectors if there are more than two encoders, and return the chosen pair."""
    if len(encoders) == 2:
        return encoders[0], encoders[1]
    left, right, _ = st.columns(3)
    first = left.selectbox("Horizontal axis", encoders, key="x", bind="query-params")
    others = [encoder for encoder in encoders if encoder != first]
    if st.session_state.get("y") not in others:
        st.session_state.pop("y", None)
    return first, right.selectbox("Vertical axis", others, key="y", bind="query-params")


def pair_points(
    rows: Sequence[BestMatchSimilarity], first: str, second: str, field: str
) -> pd.DataFrame:
    """Return one row per target for which both encoders have a value: x, y, and the matches."""
    row_of = {(row.target_id, row.encoder): row for row in rows}
    pairs = [
        (row, other)
        for row in rows
        if row.encoder == first and (other := row_of.get((row.target_id, second)))
    ]
    return pd.DataFrame(
        [
            {
                "target_id": row.target_id,
                "target": row.target,
                "x": getattr(row, field),
                "y": getattr(other, field),
                "x_match": row.reference,
                "y_match": other.reference,
                "agreement": SAME if row.reference_id == other.reference_id else DIFFERENT,
            }
            for row, other in pairs
            if getattr(row, field) is not None and getattr(other, field) is not None
        ]
    )


def scatter(points: pd.DataFrame, first: str, second: str, scale: SimilarityScale) -> alt.Chart:
    """Return the chart. Targets with the same best match differ in colour and shape."""
    legend = alt.Legend(title=None, orient="bottom")
    groups = [SAME, DIFFERENT]
    number_format = f".{scale.decimals}f"
    fitted, axis = alt.Scale(zero=False), alt.Axis(tickCount=6)
    chart: alt.Chart = (
        alt.Chart(points, height=HEIGHT)
        .mark_point(filled=True, size=70, opacity=0.85, cursor="pointer")
        .encode(
            x=alt.X("x:Q", title=f"{scale.field} by {first}", scale=fitted, axis=axis),
            y=alt.Y("y:Q", title=f"{scale.field} by {second}", scale=fitted, axis=axis),
            color=alt.Color(
                "agreement:N",
                scale=alt.Scale(domain=groups, range=["#2b87c4", GREY]),
                legend=legend,
            ),
            shape=alt.Shape("agreement:N", scale=alt.Scale(domain=groups), legend=legend),
            tooltip=[
                alt.Tooltip("target:N"),
                alt.Tooltip("x:Q", title=first, format=number_format),
                alt.Tooltip("x_match:N", title=f"best match by {first}"),
                alt.Tooltip("y:Q", title=second, format=number_format),
                alt.Tooltip("y_match:N", title=f"best match by {second}"),
            ],
        )
        .add_params(alt.selection_point(name=CLICK, fields=["target_id"], on="click", empty=False))
    )
    return chart

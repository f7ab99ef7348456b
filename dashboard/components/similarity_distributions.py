"""Where the matches of a query are in the distributions of cosines and z, for each encoder."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.components.histogram_rows import Bar, Mark, histogram_rows
from dashboard.components.merged_ranks import RankedTrack
from dashboard.data import cached_queries


def section(
    run: cached_queries.RunKey,
    tracks: Sequence[RankedTrack],
    encoders: Mapping[str, bool],
    *,
    query: str,
) -> None:
    """Draw the distributions of all encoders with the shown matches.

    `query` says what has these matches, such as "target".
    """
    bins = [row for row in cached_queries.cosine_distributions(run) if row.encoder in encoders]
    if not bins:
        return
    st.header("Do the matches stand out?", anchor=False)
    st.caption(
        f"The orange lines are this {query}. Among the cosines of all reference pairs, they mark "
        "its matches. Among the z of the best matches of all targets, they mark its best match."
    )
    left, right = st.columns(2, gap="medium")
    for column, quantity, title in (
        (left, "cosine", "cosine (each encoder has its own space)"),
        (right, "z", "z"),
    ):
        bars = [
            Bar(row.encoder, row.low, row.high, row.share)
            for row in bins
            if row.quantity == quantity
        ]
        if not bars:
            continue
        with column:
            st.altair_chart(
                histogram_rows(bars, marks(tracks, quantity), list(encoders), title=title),
                alt=f"Distribution of {quantity} for each encoder, with the matches of the {query}",
            )


def marks(tracks: Sequence[RankedTrack], quantity: str) -> list[Mark]:
    """Return the cosines of all matches, or the z of the best match by each encoder."""
    return [
        Mark(encoder, value, f"match {rank.rank}: {track.title}")
        for track in tracks
        for encoder, rank in track.ranks.items()
        if (value := rank.cosine if quantity == "cosine" else rank.z) is not None
        and (quantity == "cosine" or rank.rank == 1)
    ]

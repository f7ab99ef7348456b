"""The aesthetics rating of a track among the ratings of all tracks."""

import streamlit as st

from dashboard.components import aesthetics_rating
from dashboard.components.histogram_rows import Bar, Mark, histogram_rows
from dashboard.data import current_state
from mirpipe.db import queries


def draw(track: queries.TrackDescription) -> None:
    """Draw the distribution of each axis with the rating of the track, if it has one."""
    rating = current_state.read(queries.aesthetics, [track.track_id]).get(track.track_id)
    values = (rating.ce, rating.cu, rating.pc, rating.pq) if rating else ()
    names = {metric: name for metric, name, _ in aesthetics_rating.AXES}
    marks = [
        Mark(name, value, track.title)
        for name, value in zip(names.values(), values, strict=False)
        if value is not None
    ]
    if rating is None or not marks:
        return
    distributions = current_state.read(queries.rating_distributions)
    bars = [Bar(names[row.metric], row.low, row.high, row.share) for row in distributions.bins]
    tracks = "a random sample of the tracks" if distributions.is_sample else "all tracks"
    st.header("How good does it sound?", anchor=False)
    aesthetics_rating.show_explanation([rating])
    st.caption(f"The bars are the ratings of {tracks}, and the orange line is this track.")
    st.altair_chart(
        histogram_rows(bars, marks, list(names.values()), title="points"),
        alt=f"Distribution of the ratings of {tracks} by axis, with the rating of this track",
    )

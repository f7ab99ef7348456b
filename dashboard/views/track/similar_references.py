"""More like this: the nearest references of the track, by all encoders in one list."""

import streamlit as st

from dashboard.components import markup
from dashboard.components.merged_ranks import merged_references, merged_table
from dashboard.data import cached_queries
from mirpipe.db import queries

SHOWN = 10
"""Number of references per encoder."""


def draw(track: queries.TrackDescription) -> None:
    """Draw the references that are most similar to the track."""
    st.header("Which references are most similar?", anchor=False)
    if track.state != "ok":
        st.caption("This track is not used, so nothing is compared with it.")
        return
    with st.spinner("Searching the nearest references"):
        found = cached_queries.similar_references(track.track_id, track.content_sha256, SHOWN)
    missing = [row.encoder for row in found if row.references is None]
    tracks = merged_references(
        {row.encoder: row.references or [] for row in found}, beside={track.track_id: track.title}
    )
    if tracks:
        st.caption(
            f"The {SHOWN} nearest references by each encoder, in one list. Each number is the rank "
            "by that encoder, with the cosine below it. A dash means that the reference is not "
            "among its first ranks. Cosines of different encoders are not comparable."
        )
        encoders = {row.encoder: row.random for row in found if row.references is not None}
        markup.show(merged_table("Most similar references", "reference", tracks, encoders))
    elif not missing:
        st.caption("There are no other references.")
    if missing or not found:
        names = ", ".join(missing) or "any encoder"
        st.caption(f"Not embedded yet by {names}. The next run does this: `mirpipe run`.")

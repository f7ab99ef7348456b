"""The targets for which the track is a match, and at which rank."""

import streamlit as st

from dashboard.components import markup
from dashboard.components.merged_ranks import EncoderRank, RankedTrack, merged_table
from dashboard.data import cached_queries, current_state
from mirpipe.db import queries


def draw(track: queries.TrackDescription) -> None:
    """Draw the targets that a reference matches. For other tracks, draw nothing."""
    run = cached_queries.latest_run()
    if track.collection != "reference" or run is None:
        return
    st.header("For which targets is it a match?", anchor=False)
    rows = current_state.read(queries.matched_targets, track.track_id)
    if not rows:
        st.caption("For no target: no encoder has it among the first ten matches.")
        return
    listed = f" The first {len(rows):,} are listed." if rows[0].targets_n > len(rows) else ""
    targets = "1 target" if rows[0].targets_n == 1 else f"{rows[0].targets_n:,} targets"
    st.caption(
        f"It is among the first ten matches of {targets}.{listed} Each number is its rank by that "
        "encoder."
    )
    active = cached_queries.active_encoders(cached_queries.run_key(run))
    names = dict.fromkeys(encoder for row in rows for encoder in row.ranks)
    random = {row.encoder: row.random for row in active}
    tracks = [
        RankedTrack(
            row.target_id,
            row.target,
            row.relation,
            {encoder: EncoderRank(rank) for encoder, rank in row.ranks.items()},
        )
        for row in rows
    ]
    encoders = {name: random.get(name, False) for name in sorted(names)}
    markup.show(merged_table("Targets of this match", "target", tracks, encoders))

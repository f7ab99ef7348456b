"""The tracks that contain the same recording."""

import streamlit as st

from dashboard.components import markup, tables
from dashboard.components.collection_names import collection_name
from dashboard.components.equal_titles import told_apart
from dashboard.components.number_format import format_duration, format_number
from dashboard.components.track_link import linked_title, track_links
from dashboard.data import current_state
from mirpipe.db import queries
from mirpipe.db.queries.same_recordings import relation_name


def draw(track: queries.TrackDescription) -> None:
    """Draw the tracks with the same recording, or nothing if there are none."""
    rows = current_state.read(queries.recordings_of_track, track.track_id)
    if not rows:
        return
    st.header("Which tracks contain the same recording?", anchor=False)
    titles = told_apart({track.track_id: track.title} | {row.track_id: row.title for row in rows})
    links = track_links(row.track_id for row in rows)
    lines = [
        [
            markup.wide(linked_title(titles[row.track_id], links.get(row.track_id))),
            collection_name(row.collection),
            relation_name(row.relation),
            f"{row.agreement:.0%}",
            format_duration(row.overlap_seconds),
            f"{format_number(row.offset_seconds, 1)} s",
        ]
        for row in rows
    ]
    columns = ["track", "collection", "relation", "agreement", "common passage", "starts later by"]
    markup.show(tables.html_table("Same recordings", columns, lines, numeric=(3, 4, 5)))

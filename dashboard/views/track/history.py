"""What happened to the track, newest first."""

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.metric_labels import reason_text
from dashboard.components.number_format import format_local_time
from dashboard.components.track_link import TrackLinks, linked_title, track_links
from dashboard.data import current_state
from mirpipe.db import queries

LIMIT = 100
SENTENCES = {
    "added": "added to the library",
    "file read": "file read: {detail}",
    "file gone": "file gone: {detail}",
    "retagged": "title or labels changed; the title was {detail}",
    "rejected": "rejected: {reason}",
    "gone": "no file is left",
    "has best match": (
        "the reference {other} became its best match by {encoder} ({detail}, run {run})"
    ),
    "is best match of": (
        "became the best match of the target {other} by {encoder} ({detail}, run {run})"
    ),
    "is no longer best match of": (
        "is no longer the best match of the target {other} by {encoder} ({detail}, run {run})"
    ),
}
"""What each kind of event is called."""
NAMING_PATHS = ("file read", "file gone")
"""Events whose detail is a path."""


def draw(track: queries.TrackDescription) -> None:
    """Draw the latest events."""
    events = current_state.read(queries.track_history, track.track_id, limit=LIMIT)
    st.header("What happened to it?", anchor=False)
    if len(events) == LIMIT:
        st.caption(f"The latest {LIMIT} events.")
    links = track_links(event.other_id for event in events)
    lines = [
        [markup.no_wrap(format_local_time(event.at)), _sentence(event, links)] for event in events
    ]
    markup.show(tables.html_table("History", ["time", "event"], lines))


def _sentence(event: queries.TrackEvent, links: TrackLinks) -> Markup:
    other = linked_title(event.other or "", links.get(event.other_id or 0))
    return Markup(SENTENCES[event.event]).format(
        detail=(markup.path if event.event in NAMING_PATHS else markup.any_direction)(event.detail),
        reason=reason_text(event.detail),
        other=other,
        encoder=event.encoder,
        run=event.run_id,
    )

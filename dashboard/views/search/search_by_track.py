"""Search by a track of the library: the tracks whose title or tags contain the words."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from dashboard.components import markup, on_demand, tables
from dashboard.components.bar_list import filter_link
from dashboard.components.collection_names import collection_name
from dashboard.components.number_format import DASH
from dashboard.components.player import player
from dashboard.components.track_link import address_of, linked_title
from dashboard.data import cached_queries, current_state
from dashboard.views.search.search_results import Query
from mirpipe.db import queries
from mirpipe.db.queries.track_list import MAX_COUNTED

LISTED = 50
"""Largest number of found tracks in the selector."""
KEY = "of"


def choose_found_track(words: str) -> queries.ListedTrack | None:
    """Draw a selector of the tracks that the words find, and return the chosen one.

    Return None if they find none.
    """
    chosen = cached_queries.searched_once(queries.TrackFilter(words, states=("ok",)))
    tracks = cached_queries.listed_tracks(chosen, "title", False, LISTED, 0)
    if not tracks:
        st.info("No track has these words in its title, tags or path.")
        return None
    found = cached_queries.listed_tracks_n(chosen)
    number = f"more than {MAX_COUNTED:,}" if found > MAX_COUNTED else f"{found:,}"
    listed = f", of which {LISTED} are listed" if found > LISTED else ""
    track_of = {track.track_id: track for track in tracks}
    if st.session_state.get(KEY) not in track_of:
        st.session_state.pop(KEY, None)
    track_id = st.selectbox(
        f"Similar to which track? ({number} found{listed})",
        list(track_of),
        format_func=lambda track_id: (
            f"{track_of[track_id].title} ({collection_name(track_of[track_id].collection)})"
        ),
        key=KEY,
        bind="query-params",
    )
    if len(tracks) > 1:
        # The results follow, so the table is drawn when it is asked for.
        label = f"The {'first ' if found > LISTED else ''}{len(tracks)} found tracks"
        on_demand.section(label, partial(found_table, tracks, words, is_part=found > LISTED))
    return track_of[track_id]


def found_table(tracks: Sequence[queries.ListedTrack], words: str, *, is_part: bool) -> None:
    """Draw the found tracks with links to their pages."""
    lines = [
        [
            markup.wide(
                linked_title(track.title, address_of(track.collection, track.content_sha256))
            ),
            collection_name(track.collection),
            markup.path(track.path) if track.path else DASH,
        ]
        for track in tracks
    ]
    markup.show(tables.html_table("Found tracks", ["track", "collection", "path"], lines))
    if is_part:
        address = f"tracks?{urlencode({'search': words, 'state': 'ok'})}"
        markup.show(filter_link("All found tracks on the page Tracks", address))


def query(track: queries.ListedTrack) -> Query:
    """Return the chosen track as a query."""
    files = current_state.read(queries.file_locations, [track.track_id]).get(track.track_id, [])
    return Query(track.title, files, partial(_draw, track, files))


def _draw(
    track: queries.ListedTrack, files: Sequence[queries.FileLocation], level: float | None
) -> None:
    """Draw the link and the player of the chosen track."""
    address = address_of(track.collection, track.content_sha256)
    with st.container(gap="xsmall"):
        markup.show(markup.sentence("Similar to {}", linked_title(track.title, address)))
        picture = current_state.read(queries.pictures, [track.track_id]).get(track.track_id)
        name = f"Query: {track.title}"
        player(files, name=name, picture=picture, role="target", level=level)

"""Track page: everything that is known about one track, with a player and links to other tracks."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import empty_states, markup
from dashboard.components.collection_names import collection_name
from dashboard.components.target_picker import TARGET_PARAMETER
from dashboard.components.track_link import (
    COLLECTION_PARAMETER,
    TRACK_PARAMETER,
    address_of,
    link_value,
    linked_title,
)
from dashboard.data import cached_queries, current_state
from dashboard.views.track import (
    clips,
    facts,
    history,
    matched_targets,
    rating,
    same_recordings,
    similar_references,
    track_answer,
    track_header,
)
from mirpipe.db import queries


def chosen_track() -> tuple[queries.TrackDescription | None, list[queries.TrackDescription]]:
    """Return the track in the address, and the tracks with the same audio in other collections."""
    found = current_state.read(queries.tracks_by_hash, st.query_params.get(TRACK_PARAMETER, ""))
    collection = st.query_params.get(COLLECTION_PARAMETER)
    chosen = next((track for track in found if track.collection == collection), None)
    chosen = chosen or next(iter(found), None)
    return chosen, [track for track in found if track is not chosen]


def links(track: queries.TrackDescription, others: Sequence[queries.TrackDescription]) -> None:
    """Draw the links to other pages about this track, and to the same audio elsewhere."""
    link = link_value(track.content_sha256)
    with st.container(horizontal=True):
        st.page_link("views/tracks/tracks.py", label="All tracks", icon=":material/library_music:")
        if track.state == "ok" and track.collection == "target":
            st.page_link(
                "views/listen/listen.py",
                label="Listen to its matches and clips",
                icon=":material/headphones:",
                query_params={TARGET_PARAMETER: link},
            )
        if track.state == "ok":
            st.page_link(
                "views/map/map.py",
                label="Show on the map",
                icon=":material/scatter_plot:",
                query_params={TRACK_PARAMETER: link},
            )
    for other in others:
        title = linked_title(other.title, address_of(other.collection, other.content_sha256))
        name = collection_name(other.collection)
        markup.show(markup.sentence("The same audio is also a {}: {}", name, title))


def main() -> None:
    """Draw the page, or a message if the address names no track."""
    has_library = bool(cached_queries.library_counts())
    track, others = chosen_track() if has_library else (None, [])
    if track is None:
        st.title("Track", anchor=False)
        if not has_library:
            empty_states.no_library()
            return
        if TRACK_PARAMETER in st.query_params:
            st.warning("The track in this link is not in the library. Choose another track.")
        else:
            st.info("This page shows one track. Choose a track.")
        st.page_link("views/tracks/tracks.py", label="All tracks", icon=":material/library_music:")
        return
    st.set_page_config(page_title=f"{track.title} · mirpipe")
    markup.show(markup.large_title(track.title))
    links(track, others)
    track_answer.draw(track)
    track_header.draw(track)
    # The search and the ratings are slow in a large library. The other sections are drawn first.
    similar = st.container()
    matched_targets.draw(track)
    same_recordings.draw(track)
    clips.draw(track)
    rated = st.container()
    facts.draw(track)
    history.draw(track)
    with rated:
        rating.draw(track)
    with similar:
        similar_references.draw(track)


main()

"""The tracks that contain the same recording as others, in groups."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components import markup, tables
from dashboard.components.collection_names import collection_name
from dashboard.components.csv_download import download_button
from dashboard.components.page_choice import choose_page
from dashboard.components.track_link import linked_title, track_links
from dashboard.data import current_state
from mirpipe.db import queries
from mirpipe.db.queries.same_recordings import relation_name
from mirpipe.db.queries.sentence_parts import counted

GROUPS_PER_PAGE = 50


def section() -> None:
    """Draw one page of the groups, or a sentence if there are none."""
    st.header("Which tracks contain the same recording?", anchor=False)
    groups = current_state.read(queries.duplicate_groups)
    state = current_state.read(queries.fingerprint_state)
    if not groups:
        st.markdown("No track is known to contain the same recording as another one.")
    if not_compared := sum(state.missing.values()) + state.not_compared:
        st.caption(f"Not compared yet: {counted(not_compared, 'track')}. See `mirpipe duplicates`.")
    if not groups:
        return
    st.caption(
        "A group contains files with the same audio, and other encodings or cuts of the same "
        "recording. `mirpipe duplicates` also shows the evidence."
    )
    page = choose_page(len(groups), GROUPS_PER_PAGE, noun="groups", key="copies_page")
    first = (page - 1) * GROUPS_PER_PAGE
    shown = groups[first : first + GROUPS_PER_PAGE]
    links = track_links(track.track_id for group in shown for track in group.tracks)
    lines = [
        [
            markup.wide(linked_title(track.title, links.get(track.track_id))),
            f"{number:,}",
            collection_name(track.collection),
            relations(group) if place == 0 else "",
            markup.path("; ".join(track.paths)),
        ]
        for number, group in enumerate(shown, start=first + 1)
        for place, track in enumerate(group.tracks)
    ]
    columns = ["track", "group", "collection", "relation", "path"]
    markup.show(tables.html_table("Same recordings", columns, lines))
    download_button(lambda: _frame(groups), name="Same recordings")


def relations(group: queries.DuplicateGroup) -> str:
    """Return how the tracks of a group are related, such as "same recording"."""
    found = sorted({pair.relation for pair in group.pairs}) or ["same_file"]
    return ", ".join(map(relation_name, found))


def _frame(groups: Sequence[queries.DuplicateGroup]) -> pd.DataFrame:
    """Return one row per file of all groups."""
    return pd.DataFrame(
        [
            {
                "group": number,
                "track": track.title,
                "collection": collection_name(track.collection),
                "relation": relations(group),
                "path": path,
            }
            for number, group in enumerate(groups, start=1)
            for track in group.tracks
            for path in track.paths or ("",)
        ]
    )

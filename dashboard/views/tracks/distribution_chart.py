"""The chart of the listed tracks: how many have each label, key, tempo or length."""

from urllib.parse import urlencode

import streamlit as st

from dashboard.components import markup
from dashboard.components.bar_list import Bar, bar_list, filter_link
from dashboard.components.musical_key import with_accidentals
from dashboard.data import current_state
from mirpipe.db import queries
from mirpipe.db.queries.track_distributions import MAX_GROUPS
from mirpipe.db.queries.track_list import MAX_COUNTED

MEASURES = ("genre", "instrument", "key", "tempo", "length")
SEARCHED = ("genre", "instrument")
"""Measures whose values the search of the page finds."""


def draw(chosen: queries.TrackFilter, found: int) -> None:
    """Draw the chart of the tracks of the filter, and the selector of the measure."""
    groups = current_state.read(queries.track_distributions, chosen)
    measured = {group.measure for group in groups}
    measures = [measure for measure in MEASURES if measure in measured]
    if not measures:
        return
    if st.session_state.get("measure") not in measures:
        st.session_state.pop("measure", None)
    measure = st.segmented_control(
        "Number of tracks by",
        measures,
        default=measures[0],
        key="measure",
        bind="query-params",
        required=True,
    )
    bars = [group for group in groups if group.measure == measure]
    markup.show(bar_list(f"Tracks by {measure}", [_bar(group) for group in bars]))
    if remark := remark_text(bars, min(found, MAX_COUNTED), is_part=found > MAX_COUNTED):
        st.caption(remark)


def remark_text(bars: list[queries.TrackGroup], tracks: int, *, is_part: bool) -> str:
    """Return what the chart leaves out. `tracks` is the number of tracks that are grouped."""
    missing = tracks - sum(bar.tracks for bar in bars)
    sentences = []
    if is_part:
        sentences.append(f"{tracks:,} of the tracks are counted.")
    has_more = len(bars) >= MAX_GROUPS and bars[0].measure not in ("tempo", "length")
    if missing and has_more:
        sentences.append(f"{missing:,} tracks have another value or none.")
    elif missing:
        sentences.append(f"Without a value: {missing:,}.")
    return " ".join(sentences)


def _bar(group: queries.TrackGroup) -> Bar:
    if group.measure not in SEARCHED:
        name = with_accidentals(group.value) if group.measure == "key" else group.value
        return Bar(markup.any_direction(name), group.tracks)
    address = f"tracks?{urlencode({'search': group.value, 'measure': group.measure})}"
    return Bar(filter_link(group.value, address), group.tracks)

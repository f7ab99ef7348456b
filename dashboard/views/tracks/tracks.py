"""Tracks page: the complete library as a table that the database searches, sorts and pages."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import answer, empty_states, markup, tables
from dashboard.components.collection_names import collection_name
from dashboard.components.csv_download import download_button
from dashboard.components.link_values import accept_codes
from dashboard.components.musical_key import with_accidentals
from dashboard.components.number_format import DASH, format_duration, format_number
from dashboard.components.page_choice import choose_page, first_page
from dashboard.components.state_badge import state_badge
from dashboard.components.track_link import address_of, linked_title
from dashboard.data import cached_queries, current_state
from dashboard.views.tracks import distribution_chart
from mirpipe.db import queries
from mirpipe.db.queries.track_list import MAX_COUNTED, SORT_COLUMNS

ROWS_PER_PAGE = 50
COLLECTIONS = ("reference", "target", "generated")
STATES = ("ok", "rejected", "gone")
ORDERS = ("ascending", "descending")
SHOWN_LABELS = ("genre", "instrument", "work")
"""Labels with a place in the table. Search finds all labels, and a track's page shows them."""


def choose_filter(counts: Sequence[queries.LibraryCount]) -> queries.TrackFilter:
    """Draw the search field and the filters, and return what is chosen."""
    search = st.text_input(
        "Search title, artist, album, other labels and path",
        key="search",
        type="search",
        bind="query-params",
        on_change=first_page,
    )
    by_collection, by_state, by_finding = st.columns(3)
    accept_codes("collection", COLLECTIONS, collection_name)
    collections = by_collection.multiselect(
        "Collection",
        COLLECTIONS,
        format_func=collection_name,
        key="collection",
        bind="query-params",
        on_change=first_page,
    )
    states = by_state.multiselect(
        "State", STATES, key="state", bind="query-params", on_change=first_page
    )
    kinds = sorted({row.kind for row in current_state.read(queries.finding_counts)})
    findings: list[str] = []
    if kinds:
        accept_codes("finding", kinds, queries.finding_name)
        findings = by_finding.multiselect(
            "Finding",
            kinds,
            format_func=queries.finding_name,
            key="finding",
            bind="query-params",
            on_change=first_page,
        )
    without_audio = False
    if any(count.without_audio for count in counts):
        without_audio = st.toggle(
            "Only tracks without audio, which were added from a file of vectors",
            key="without_audio",
            bind="query-params",
            on_change=first_page,
        )
    return queries.TrackFilter(
        search or "", tuple(collections), tuple(states), tuple(findings), without_audio
    )


def choose_order() -> tuple[str, bool]:
    """Draw the selectors for the order, and return the column and whether it is descending."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    sort = left.selectbox(
        "Sort by", SORT_COLUMNS, key="sort", bind="query-params", on_change=first_page
    )
    order = right.segmented_control(
        "Order",
        ORDERS,
        default=ORDERS[0],
        key="order",
        bind="query-params",
        required=True,
        on_change=first_page,
    )
    return sort, order == ORDERS[1]


def found_sentence(found: int) -> str:
    """Return how many tracks there are, and what to do if they cannot all be listed."""
    if found > MAX_COUNTED:
        return (
            f"More than {MAX_COUNTED:,} tracks. The pages contain the first {MAX_COUNTED:,}: "
            "search, filter or sort to see others."
        )
    return "1 track." if found == 1 else f"{found:,} tracks."


def track_cells(row: queries.ListedTrack) -> dict[str, str | Markup | None]:
    """Return the cells of one track by column. A cell without a value is None."""
    labels = " · ".join(row.labels[name] for name in SHOWN_LABELS if row.labels.get(name))
    title = linked_title(row.title, address_of(row.collection, row.content_sha256))
    badge = Markup(" ") + state_badge(row.state, row.reason, has_audio=row.has_audio)
    tempo = None if row.tempo_bpm is None else format_number(row.tempo_bpm, 0)
    key = with_accidentals(row.key or "")
    measured = " · ".join(filter(None, [tempo and f"{tempo} BPM", key]))
    below = markup.small_line(collection_name(row.collection)) + markup.phone_line(measured)
    artist = markup.any_direction(row.artist or DASH) + markup.small_line(row.album)
    return {
        "title": markup.wide(title + badge + below),
        "artist": artist if row.artist or row.album else None,
        "genre": markup.any_direction(labels) if labels else None,
        "tempo": tempo,
        "key": markup.no_wrap(key) if key else None,
        "length": None if row.seconds is None else markup.no_wrap(format_duration(row.seconds)),
        "findings": ", ".join(map(queries.finding_name, row.findings)) or None,
        "path": markup.path(row.path) if row.path else None,
    }


COLUMNS = {
    "title": "title",
    "artist": "artist and album",
    "genre": "genre, instrument, work",
    "tempo": "tempo (BPM)",
    "key": "key",
    "length": "length",
    "findings": "findings",
    "path": "path",
}
"""Headings of the columns, by the column of the order."""


def track_table(rows: Sequence[queries.ListedTrack], sort: str, *, descending: bool) -> None:
    """Draw one page of the list. An arrow marks the column by which it is sorted.

    Columns that are empty on this page are left out.
    """
    arrow = "▼" if descending else "▲"
    cells = [track_cells(row) for row in rows]
    shown = [
        column
        for column in COLUMNS
        if column == sort or any(cells_of_track[column] is not None for cells_of_track in cells)
    ]
    headings = [
        f"{COLUMNS[column]} {arrow}" if column == sort else COLUMNS[column] for column in shown
    ]
    lines = [[cells_of_track[column] or DASH for column in shown] for cells_of_track in cells]
    numeric = [index for index, column in enumerate(shown) if column == "tempo"]
    markup.show(tables.html_table("Tracks", headings, lines, numeric=numeric))
    data = pd.DataFrame([asdict(row) for row in rows])
    data["findings"] = data["findings"].map(", ".join)
    download_button(data, name="Tracks on this page")


def main() -> None:
    """Draw the page, or a message if the library is empty."""
    st.title("Tracks", anchor=False)
    counts = cached_queries.library_counts()
    if not counts:
        empty_states.no_library()
        return
    answer.show(*queries.library_answer(counts))
    st.caption(
        "Every track that was ever ingested or generated. The search finds tracks that contain all "
        "words, in any order. Select a title to see everything about the track."
    )
    chosen = cached_queries.searched_once(choose_filter(counts))
    sort, descending = choose_order()
    found = cached_queries.listed_tracks_n(chosen)
    if not found:
        st.info("No track matches this search and these filters.")
        return
    st.markdown(found_sentence(found))
    distribution_chart.draw(chosen, found)
    page = choose_page(min(found, MAX_COUNTED), ROWS_PER_PAGE, noun="tracks")
    offset = (page - 1) * ROWS_PER_PAGE
    rows = cached_queries.listed_tracks(chosen, sort, descending, ROWS_PER_PAGE, offset)
    track_table(rows, sort, descending=descending)


main()

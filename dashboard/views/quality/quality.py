"""Quality page: findings about the audio of the tracks, copies, and titles that were guessed."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard.components import answer, empty_states, markup, tables
from dashboard.components.bar_list import Bar, bar_list, filter_link
from dashboard.components.collection_names import collection_name
from dashboard.components.csv_download import download_button
from dashboard.components.link_values import accept_codes
from dashboard.components.number_format import DASH, format_number, with_minus_signs
from dashboard.components.page_choice import choose_page, first_page
from dashboard.components.track_link import linked_title, track_links
from dashboard.data import cached_queries, current_state
from dashboard.views.quality import copies
from mirpipe.db import queries
from mirpipe.db.queries.page_answers import copies_answer
from mirpipe.db.queries.undecoded_tags import UndecodedFile, guessed_files, guessed_files_n

ROWS_PER_PAGE = 200
COLLECTIONS = ("reference", "target", "generated")
NO_FINDINGS = (
    "There are no findings. Ingest looks for damage, silence, clipping, silent or inverted "
    "channels, and a DC offset in every track."
)


def kind_chart(counts: Sequence[queries.FindingCount]) -> None:
    """Draw the number of tracks by kind and severity. A kind links to its findings."""
    name = "Tracks by kind of finding"
    bars = []
    for row in counts:
        kind = queries.finding_name(row.kind)
        address = f"quality?{urlencode({'kind': kind})}"
        bars.append(Bar(filter_link(kind, address), row.tracks, row.severity))
    markup.show(bar_list(name, bars))
    download_button(counts, name=name)


def finding_frame(findings: Sequence[queries.AudioFinding]) -> pd.DataFrame:
    """Return the findings as a data frame, without columns that are empty."""
    return pd.DataFrame(
        {
            "track": [row.title for row in findings],
            "finding": [with_minus_signs(row.detail) for row in findings],
            "severity": [row.severity for row in findings],
            "kind": [queries.finding_name(row.kind) for row in findings],
            "collection": [collection_name(row.collection) for row in findings],
            "at (s)": [row.seconds for row in findings],
            "path": [row.path for row in findings],
        }
    ).dropna(axis="columns", how="all")


def guessed_frame(files: Sequence[UndecodedFile]) -> pd.DataFrame:
    """Return the files with guessed tags as a data frame."""
    return pd.DataFrame(
        {
            "track": [file.title for file in files],
            "collection": [collection_name(file.collection) for file in files],
            "guessed encoding": [file.encoding for file in files],
            "path": [file.path for file in files],
        }
    )


def guessed_section() -> None:
    """Draw the tracks whose titles come from tags in a guessed encoding, if there are any."""
    found = current_state.read(guessed_files_n)
    if not found:
        return
    st.header("Which titles may be decoded wrongly?", anchor=False)
    st.caption(
        "The tags of these files do not state their encoding, so it was guessed from all files of "
        "the folder. If a title is wrong, correct it with `mirpipe tags`."
    )
    page = choose_page(found, ROWS_PER_PAGE, noun="files", key="guessed_page")
    offset = (page - 1) * ROWS_PER_PAGE
    shown = current_state.read(guessed_files, limit=ROWS_PER_PAGE, offset=offset)
    tables.sortable_table(
        guessed_frame(shown),
        name="Guessed tags",
        tracks=tables.track_ids(shown, track="track_id"),
        all_rows=lambda: guessed_frame(guessed_files()),
    )


def finding_section() -> None:
    """Draw the findings, or a message if there are none."""
    counts = current_state.read(queries.finding_counts)
    groups_n = len(current_state.read(queries.duplicate_groups))
    if not counts:
        if groups_n:
            answer.show(copies_answer(groups_n))
        st.info(NO_FINDINGS)
        missing = queries.missing_audio(cached_queries.library_counts(), ("reference", "target"))
        if missing:
            st.caption(missing)
        return
    answer.show(queries.quality_answer(counts), copies_answer(groups_n))
    st.header("Which tracks have unusual audio?", anchor=False)
    st.caption(
        "The numbers are numbers of tracks. These tracks are used. A warning means that their "
        "results may be wrong. Files that cannot be used are on the page Failures."
    )
    kind_chart(counts)
    by_kind, by_collection = st.columns(2)
    options = sorted({row.kind for row in counts})
    accept_codes("kind", options, queries.finding_name)
    kinds = by_kind.multiselect(
        "Kind",
        options,
        format_func=queries.finding_name,
        key="kind",
        bind="query-params",
        on_change=first_page,
    )
    accept_codes("collection", COLLECTIONS, collection_name)
    collections = by_collection.multiselect(
        "Collection",
        COLLECTIONS,
        format_func=collection_name,
        key="collection",
        bind="query-params",
        on_change=first_page,
    )
    chosen: dict[str, Any] = {"kinds": kinds, "collections": collections}
    found = current_state.read(queries.findings_n, **chosen)
    if not found:
        st.info("No finding matches these filters.")
        return
    offset = (choose_page(found, ROWS_PER_PAGE, noun="findings") - 1) * ROWS_PER_PAGE
    rows = current_state.read(queries.findings, **chosen, limit=ROWS_PER_PAGE, offset=offset)
    finding_table(rows)
    download_button(lambda: finding_frame(queries.findings(**chosen)), name="Findings")


def finding_table(rows: Sequence[queries.AudioFinding]) -> None:
    """Draw one page of the findings. A narrow window shows the track and the finding."""
    links = track_links(row.track_id for row in rows)
    has_times = any(row.seconds is not None for row in rows)
    lines = [
        [
            markup.wide(
                linked_title(row.title, links.get(row.track_id))
                + markup.small_line(collection_name(row.collection))
            ),
            markup.wide(with_minus_signs(row.detail)),
            row.severity,
            queries.finding_name(row.kind),
            *([_time(row)] if has_times else []),
            markup.path(row.path) if row.path else DASH,
        ]
        for row in rows
    ]
    columns = ["track", "finding", "severity", "kind", *(["at"] if has_times else []), "path"]
    numeric = (4,) if has_times else ()
    markup.show(tables.html_table("Findings", columns, lines, numeric=numeric))


def _time(row: queries.AudioFinding) -> str:
    return DASH if row.seconds is None else f"{format_number(row.seconds, 1)} s"


def main() -> None:
    """Draw the page."""
    st.title("Quality", anchor=False)
    if not cached_queries.library_counts():
        empty_states.no_library()
        return
    finding_section()
    copies.section()
    guessed_section()


main()

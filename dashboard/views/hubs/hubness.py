"""Hubness: how unevenly references are retrieved by cosine and by CSLS, and a list of the hubs."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import charts, markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell
from dashboard.components.track_link import TrackLinks, linked_title, track_links
from dashboard.views.hubs.ranking_methods import METHOD_NAMES
from mirpipe.db import queries

MAX_LISTED_HUBS = 10
"""Number of hubs per encoder in the table. The download contains all stored hubs."""


def section(
    hubness: Sequence[queries.Hubness], hubs: Sequence[queries.Hub], query_kind: str, k: int
) -> None:
    """Draw hubness and hubs among the first `k` matches, for one kind of query."""
    st.header("Are there hubs?", anchor=False)
    shown = [row for row in hubness if row.queries == query_kind and row.k == k]
    shown_hubs = [row for row in hubs if row.queries == query_kind and row.k == k]
    if not shown:
        st.info("The latest run contains no hubness results.", icon=":material/hub:")
        st.code("mirpipe run", language=None)
        return
    st.caption(
        f"A hub is a reference that is among the first matches of many more {query_kind} than "
        "other references are. The skewness measures how unevenly references appear among the "
        f"first {k} matches: 0 means evenly, and higher values mean stronger hubs. CSLS re-ranks "
        "the nearest references, so that references that are close to everything rank lower."
    )
    if shown_hubs:
        hub_chart(shown_hubs, k)
    hubness_table(shown)
    if shown_hubs:
        hub_table(shown_hubs)


def hubness_table(rows: Sequence[queries.Hubness]) -> None:
    """Draw a table with one row per encoder and ranking method."""
    links = track_links(row.largest_reference_id for row in rows)
    lines = [
        [
            plugin_cell(row.encoder, random=row.random),
            markup.no_wrap(METHOD_NAMES[row.rerank]),
            format_number(row.skewness, 2),
            f"{row.never_retrieved_share:.1%}",
            _reference(
                row.largest_reference,
                links.get(row.largest_reference_id),
                f"{row.largest} of {row.n} queries",
            ),
            f"{row.n:,} × {row.references_n:,}",
            row.licence_weights or DASH,
        ]
        for row in rows
    ]
    columns = ["encoder", "ranked by", "skewness", "never retrieved", "most retrieved"]
    columns += ["queries × references", "licence of weights"]
    markup.show(tables.html_table("Hubness", columns, lines, numeric=(2, 3, 5)))
    download_button(rows, name="Hubness")


def hub_chart(rows: Sequence[queries.Hub], k: int) -> None:
    """Draw, for each of the most retrieved references, the share of queries that retrieve it."""
    points = pd.DataFrame(
        [
            {
                "ranked by": f"{row.encoder}, {METHOD_NAMES[row.rerank]}",
                "rank": row.rank,
                "share": 100 * row.share,
                "reference": row.reference,
                "retrieved": row.retrieved_n,
            }
            for row in rows
        ]
    )
    chart = charts.lines_over_rank(
        points,
        y="share",
        series="ranked by",
        x_title="rank among the most retrieved references",
        y_title="% of queries",
    )
    st.altair_chart(
        chart, alt=f"How often the most retrieved references are among the first {k} matches"
    )


def hub_table(rows: Sequence[queries.Hub]) -> None:
    """Draw the most retrieved references: one column per encoder and ranking method."""
    st.subheader("Most retrieved references", anchor=False)
    methods = list(dict.fromkeys((row.encoder, row.rerank) for row in rows))
    row_of = {(row.encoder, row.rerank, row.rank): row for row in rows}
    last_rank = min(MAX_LISTED_HUBS, max(row.rank for row in rows))
    links = track_links(row.reference_id for row in rows if row.rank <= last_rank)
    lines = []
    for rank in range(1, last_rank + 1):
        cells = [_hub(row_of.get((*method, rank)), links) for method in methods]
        lines.append([str(rank), *cells])
    columns = ["rank", *(f"{encoder}, {METHOD_NAMES[rerank]}" for encoder, rerank in methods)]
    markup.show(tables.html_table("Most retrieved references", columns, lines))
    download_button([asdict(row) for row in rows], name="Most retrieved references")


def _hub(row: queries.Hub | None, links: TrackLinks) -> Markup:
    if row is None:
        return Markup(DASH)
    remark = f"{row.retrieved_n} of {row.n}"
    return _reference(row.reference, links.get(row.reference_id), remark)


def _reference(title: str, address: str | None, remark: str) -> Markup:
    return markup.wide(linked_title(title, address) + markup.small_line(remark))

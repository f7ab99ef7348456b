"""The ranking metrics by label with the album filter and the artist filter, in a folded part."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell
from dashboard.components.statistics_cells import interval
from dashboard.views.hubs.ranking_methods import METHOD_NAMES, METRIC_NAMES
from mirpipe.db import queries

FILTER_NAMES = {
    "none": "no filter",
    "album": "without the album",
    "artist": "without the artist",
}


def part(
    unfiltered: Sequence[queries.LabelRanking], filtered: Sequence[queries.LabelRanking]
) -> None:
    """Draw the metrics with and without each filter, or nothing if no query has the tags."""
    if not filtered:
        return
    with st.expander("How much do albums and artists contribute?"):
        st.caption(
            "Tracks of one album or artist often have the same label and the same production, so "
            "an encoder can find them without recognising the label. Here, the references of the "
            "query's album, or of its artists, are left out. n is the number of queries, and in "
            "brackets the number of those that have an album or an artist. The others are not "
            "filtered."
        )
        methods = {row.rerank for row in filtered}
        rows = [*(row for row in unfiltered if row.rerank in methods), *filtered]
        table(rows)


def table(rows: Sequence[queries.LabelRanking]) -> None:
    """Draw a table with one row per encoder, ranking method and filter."""
    row_of = {(row.encoder, row.rerank, row.filter, row.metric): row for row in rows}
    random = {row.encoder for row in rows if row.random}
    lines = []
    for encoder, rerank in dict.fromkeys((row.encoder, row.rerank) for row in rows):
        for name, shown_name in FILTER_NAMES.items():
            found = [row_of.get((encoder, rerank, name, metric)) for metric in METRIC_NAMES]
            if first := next(filter(None, found), None):
                label = plugin_cell(encoder, random=encoder in random)
                method = markup.no_wrap(METHOD_NAMES.get(rerank, rerank))
                lines.append(
                    [label, method, shown_name, _queries(first), *map(mean_with_interval, found)]
                )
    columns = ["encoder", "ranked by", "filter", "n", *METRIC_NAMES.values()]
    name = "Rankings by label with filters"
    markup.show(tables.html_table(name, columns, lines, numeric=range(3, len(columns))))
    download_button(rows, name=name)


def mean_with_interval(row: queries.LabelRanking | None) -> Markup:
    """Return the mean and, below it, its interval."""
    if row is None:
        return Markup(DASH)
    return Markup(format_number(row.mean, 3)) + interval(row.low, row.high, 3)


def _queries(row: queries.LabelRanking) -> str:
    return f"{row.n:,}" if row.filtered_n is None else f"{row.n:,} ({row.filtered_n:,})"

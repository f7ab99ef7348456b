"""Hubs: how unevenly references are retrieved, by cosine and by CSLS, and by name."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import charts, markup, tables
from mirpipe.db import queries as reports

LISTED = 10
"""Hubs of each encoder that stand in the table; the download has all that are stored."""
WAYS = {"cosine": "cosine, raw", "csls": "CSLS"}


def section(
    measured: Sequence[reports.Hubness], found: Sequence[reports.Hub], queries: str, k: int
) -> None:
    """What is retrieved too often among the first k answers of these queries."""
    st.subheader("Are there hubs?", anchor=False)
    st.caption(
        "A hub is a reference that is among everybody's answers. Skewness of how often each "
        "reference is among the first k answers: 0 is even, higher means hubs. CSLS re-ranks the "
        "nearest by how near they are to everything, which takes hubs down."
    )
    chosen = [row for row in measured if row.queries == queries and row.k == k]
    hubs = [row for row in found if row.queries == queries and row.k == k]
    if not chosen:
        st.info("This run has not measured hubs.", icon=":material/hub:")
        st.code("mirpipe run", language=None)
        return
    table(chosen)
    if not hubs:
        return
    points = pd.DataFrame(
        [
            {
                "by": f"{row.encoder}, {WAYS[row.rerank]}",
                "rank": row.rank,
                "share": 100 * row.share,
                "reference": row.reference,
                "retrieved": row.retrieved_n,
            }
            for row in hubs
        ]
    )
    chart = charts.curves(
        points,
        x="rank",
        y="share",
        series="by",
        across="place among the most retrieved references",
        up="% of queries",
    )
    st.altair_chart(chart, alt=f"How often the most retrieved references are in the first {k}")
    most_retrieved(hubs)


def table(rows: Sequence[reports.Hubness]) -> None:
    """A line an encoder and way of ranking."""
    lines = [
        [
            named(row.encoder, random=row.random),
            markup.together(WAYS[row.rerank]),
            markup.number(row.skewness, 2),
            f"{row.never_retrieved_share:.1%}",
            largest(row),
            f"{row.n:,} × {row.references_n:,}",
            row.licence_weights or markup.DASH,
        ]
        for row in rows
    ]
    heads = [
        "encoder",
        "ranked by",
        "skewness",
        "never retrieved",
        "most retrieved",
        "queries × references",
        "licence of weights",
    ]
    markup.show(markup.table("Hubness", heads, lines, numeric=(2, 3, 5)))
    tables.download(rows, name="Hubness")


def largest(row: reports.Hubness) -> Markup:
    """The reference that is retrieved most, and how often."""
    said = markup.small(f"{row.largest} of {row.n} queries")
    return markup.roomy(markup.title(row.largest_reference) + said)


def most_retrieved(rows: Sequence[reports.Hub]) -> None:
    """The hubs by name: a column an encoder and way of ranking."""
    st.markdown("**Most retrieved references**")
    ways = list(dict.fromkeys((row.encoder, row.rerank) for row in rows))
    found = {(row.encoder, row.rerank, row.rank): row for row in rows}
    depth = min(LISTED, max(row.rank for row in rows))
    lines = []
    for rank in range(1, depth + 1):
        cells = [found.get((*way, rank)) for way in ways]
        lines.append([str(rank), *(hub(row) for row in cells)])
    heads = ["place", *(f"{encoder}, {WAYS[rerank]}" for encoder, rerank in ways)]
    markup.show(markup.table("Most retrieved references", heads, lines))
    tables.download([asdict(row) for row in rows], name="Most retrieved references")


def hub(row: reports.Hub | None) -> Markup:
    """A reference and how often it is retrieved."""
    if row is None:
        return Markup(markup.DASH)
    said = markup.small(f"{row.retrieved_n} of {row.n}")
    return markup.roomy(markup.title(row.reference) + said)


def named(encoder: str, *, random: bool) -> Markup:
    """An encoder, marked where its weights are random."""
    name = markup.together(markup.title(encoder))
    return name + Markup("<br>") + markup.badge(markup.RANDOM) if random else name

"""Hubs and agreement: what is retrieved too often, who agrees, and how good rankings are."""

import streamlit as st

from dashboard import agreement, cached, distances, empty, fused, hubness, rankings
from dashboard.measured import measured
from mirpipe.db import reports

QUERIES = ("targets", "references")
DEPTHS = (1, 5, 10)


def page(key: cached.Key) -> None:
    """Everything about a run's rankings."""
    found = measured(key)
    random = {row.encoder for row in found.hubness if row.random}
    of, depth = st.columns([2, 1], vertical_alignment="bottom")
    with of:
        queries = st.segmented_control(
            "Queries",
            QUERIES,
            default="targets",
            key="queries",
            bind="query-params",
            required=True,
            help="References: each against all others.",
        )
    with depth:
        k = st.segmented_control(
            "First answers (k)", DEPTHS, default=5, key="k", bind="query-params", required=True
        )
    hubness.section(found.hubness, found.hubs, queries or "targets", k or 5)
    agreement.csls(found.csls)
    agreement.section(found.agreements, random)
    rankings.section(found.rankings, queries or "targets")
    fused.section(key)
    distances.section(found.distances, random)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Hubs and agreement", anchor=False)
    run = reports.latest_run()
    if run is None:
        if cached.library():
            empty.results()
        else:
            empty.library()
        return
    page(cached.key(run))


main()

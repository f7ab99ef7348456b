"""Hubs and agreement: what is retrieved too often, who agrees, and how good rankings are."""

import streamlit as st

from dashboard.components import empty_states
from dashboard.data import cached_queries
from dashboard.data.latest_rankings import measured
from dashboard.views.hubs import (
    agreement,
    clip_set_distances,
    fused_and_csls_rankings,
    hubness,
    label_rankings,
)
from mirpipe.db import queries as reports

QUERIES = ("targets", "references")
DEPTHS = (1, 5, 10)


def page(key: cached_queries.Key) -> None:
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
    label_rankings.section(found.rankings, queries or "targets")
    fused_and_csls_rankings.section(key)
    clip_set_distances.section(found.distances, random)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Hubs and agreement", anchor=False)
    run = reports.latest_run()
    if run is None:
        if cached_queries.library():
            empty_states.results()
        else:
            empty_states.library()
        return
    page(cached_queries.key(run))


main()

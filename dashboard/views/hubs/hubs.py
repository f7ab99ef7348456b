"""Hubs page: hubs, encoder agreement, label rankings, and distances from clips to the library."""

import streamlit as st

from dashboard.components import answer, empty_states
from dashboard.components.track_link import track_links
from dashboard.data import cached_queries
from dashboard.data.latest_rankings import ranking_results
from dashboard.views.hubs import (
    agreement,
    clip_set_distances,
    csls_check,
    fused_and_csls_rankings,
    hubness,
    label_rankings,
)
from mirpipe.db import queries

QUERIES = ("targets", "references")
DEPTHS = (1, 5, 10)


def page(run: cached_queries.RunKey) -> None:
    """Draw all sections of the page for a run."""
    results = ranking_results(run)
    random = {row.encoder for row in results.hubness if row.random}
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        query_kind = st.segmented_control(
            "Queries",
            QUERIES,
            default="targets",
            key="queries",
            bind="query-params",
            required=True,
            help="If you choose references, each reference is compared with all others.",
        )
    with right:
        k = st.segmented_control(
            "First matches (k)", DEPTHS, default=5, key="k", bind="query-params", required=True
        )
    query_kind, k = query_kind or "targets", k or 5
    links = track_links(row.largest_reference_id for row in results.hubness)
    answer.show(
        *queries.hubs_answer(results.hubness, results.agreements, query_kind=query_kind, k=k),
        links=[
            (row.largest_reference, links.get(row.largest_reference_id)) for row in results.hubness
        ],
    )
    if sentence := cached_queries.ranking_measurement_sentences(run):
        st.caption(sentence)
    hubness.section(results.hubness, results.hubs, query_kind, k)
    csls_check.section(results.csls)
    agreement.section(results.agreements, random)
    label_rankings.section(results.rankings, results.filtered_rankings, query_kind)
    fused_and_csls_rankings.section(run)
    clip_set_distances.section(results.distances, random)


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Hubs and agreement", anchor=False)
    run = empty_states.latest_run()
    if run is None:
        return
    page(cached_queries.run_key(run))


main()

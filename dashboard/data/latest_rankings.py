"""The ranking results of the latest run, read from the database once per run."""

# ruff: noqa: ARG001  (Streamlit uses all arguments as the cache key, including unused ones)
from dataclasses import dataclass

import streamlit as st

from dashboard.data.cached_queries import RunKey
from mirpipe.db import queries


@dataclass(frozen=True)
class RankingResults:
    """Hubs, encoder agreement, CSLS check, label rankings and set distances of a run.

    A list is empty if the run has no such results.
    """

    hubness: list[queries.Hubness]
    hubs: list[queries.Hub]
    agreements: list[queries.EncoderAgreement]
    csls: list[queries.CslsCheck]
    rankings: list[queries.LabelRanking]
    filtered_rankings: list[queries.LabelRanking]
    distances: list[queries.SetDistance]


@st.cache_data(max_entries=4, show_spinner=False)
def ranking_results(run: RunKey) -> RankingResults:
    """Return all ranking results of the latest run."""
    return RankingResults(
        queries.hubness(),
        queries.hubs(),
        queries.encoder_agreements(),
        queries.csls_checks(),
        queries.label_rankings(),
        queries.filtered_label_rankings(),
        queries.set_distances(),
    )

"""The ranking results of the latest run, read from the database once per run."""

# ruff: noqa: ARG001  (Streamlit keys the cache by all arguments, also by those that are not read)
from dataclasses import dataclass

import streamlit as st

from dashboard.data.cached_queries import RunKey
from mirpipe.db import queries


@dataclass(frozen=True)
class RankingResults:
    """Hubs, agreement, CSLS check, label rankings and set distances of a run.

    A list is empty if the run has no such results.
    """

    hubness: list[queries.Hubness]
    hubs: list[queries.Hub]
    agreements: list[queries.Agreement]
    csls: list[queries.CslsAgreement]
    rankings: list[queries.Ranking]
    distances: list[queries.SetDistance]


@st.cache_data(max_entries=4, show_spinner=False)
def ranking_results(run: RunKey) -> RankingResults:
    """Return all ranking results of the latest run."""
    return RankingResults(
        queries.hubness(),
        queries.hubs(),
        queries.agreements(),
        queries.csls_agreements(),
        queries.rankings(),
        queries.set_distances(),
    )

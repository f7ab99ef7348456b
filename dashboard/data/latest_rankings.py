"""What the latest run measured of rankings and of sets, read once a run."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from dataclasses import dataclass

import streamlit as st

from dashboard.data import cached_queries
from mirpipe.db import queries


@dataclass(frozen=True)
class Measured:
    """All of it; each list is empty where the run measured none."""

    hubness: list[queries.Hubness]
    hubs: list[queries.Hub]
    agreements: list[queries.Agreement]
    csls: list[queries.CslsAgreement]
    rankings: list[queries.Ranking]
    distances: list[queries.SetDistance]


@st.cache_data(max_entries=4, show_spinner=False)
def measured(run: cached_queries.Key) -> Measured:
    """Hubs, agreement, rankings by label and distances of sets."""
    return Measured(
        queries.hubness(),
        queries.hubs(),
        queries.agreements(),
        queries.csls_agreements(),
        queries.rankings(),
        queries.set_distances(),
    )

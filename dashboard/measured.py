"""What the latest run measured of rankings and of sets, read once a run."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from dataclasses import dataclass

import streamlit as st

from dashboard import cached
from mirpipe.db import reports


@dataclass(frozen=True)
class Measured:
    """All of it; each list is empty where the run measured none."""

    hubness: list[reports.Hubness]
    hubs: list[reports.Hub]
    agreements: list[reports.Agreement]
    csls: list[reports.CslsAgreement]
    rankings: list[reports.Ranking]
    distances: list[reports.SetDistance]


@st.cache_data(max_entries=4, show_spinner=False)
def measured(run: cached.Key) -> Measured:
    """Hubs, agreement, rankings by label and distances of sets."""
    return Measured(
        reports.hubness(),
        reports.hubs(),
        reports.agreements(),
        reports.csls_agreements(),
        reports.rankings(),
        reports.set_distances(),
    )

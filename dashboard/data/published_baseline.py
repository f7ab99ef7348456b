"""The published tables in the database: numbers, means, differences and claims."""

from dataclasses import dataclass

import streamlit as st

from dashboard.data.current_state import POLLING_SECONDS
from mirpipe.db.queries import published_results


@dataclass(frozen=True)
class PublishedBaseline:
    """All published tables. The lists are empty if the published tables were not imported."""

    numbers: list[published_results.PublishedNumber]
    means: list[published_results.PublishedMean]
    differences: list[published_results.PublishedDifference]
    claims: list[published_results.PublishedClaim]


@st.cache_data(ttl=POLLING_SECONDS, show_spinner=False)
def published_baseline() -> PublishedBaseline:
    """Return the published tables, at most 10 seconds old. They do not depend on any run."""
    return PublishedBaseline(
        published_results.published_numbers(),
        published_results.published_means(),
        published_results.published_differences(),
        published_results.published_claims(),
    )

"""Which targets a page shows, and their scores, read from the database once per run.

A page reads the scores of the targets that it draws, and never those of all targets.
"""

# ruff: noqa: ARG001  (Streamlit uses all arguments as the cache key, including unused ones)
import streamlit as st

from dashboard.data.cached_queries import RunKey
from mirpipe.db import queries
from mirpipe.db.queries import best_match_similarities as similarities
from mirpipe.db.queries import target_order as target_orders
from mirpipe.db.queries.best_match_similarities import BestMatchSimilarity


@st.cache_data(max_entries=8, show_spinner=False)
def target_order(
    run: RunKey, metric: str | None, search: str, genre: str, instrument: str, order: str
) -> list[int]:
    """Return the ids of the targets with matches or clips that are chosen, in this order."""
    named = {"genre": genre, "instrument": instrument}
    labels = {label: value for label, value in named.items() if value}
    return target_orders.target_order(metric, search=search, labels=labels, order=order)


@st.cache_data(max_entries=8, show_spinner=False)
def label_values(run: RunKey, label: str) -> list[str]:
    """Return the values of "genre" or "instrument" of the targets."""
    return target_orders.target_label_values(label)


@st.cache_data(max_entries=64, show_spinner=False)
def best_match_scores(run: RunKey, target_ids: tuple[int, ...]) -> list[queries.BestMatchScores]:
    """Return the best matches of these targets by each encoder, with their scores."""
    return queries.best_match_scores(list(target_ids))


@st.cache_data(max_entries=16, show_spinner=False)
def best_match_similarities(
    run: RunKey, target_ids: tuple[int, ...], encoders: tuple[str, ...]
) -> list[BestMatchSimilarity]:
    """Return how similar the best matches of these targets are by these encoders."""
    return similarities.best_match_similarities(target_ids, encoders)


@st.cache_data(max_entries=64, show_spinner=False)
def target_scores(run: RunKey, target_ids: tuple[int, ...]) -> list[queries.TargetScore]:
    """Return the clip scores of these targets by mode and metric."""
    return queries.target_scores(list(target_ids))

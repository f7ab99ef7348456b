"""The findings about the audio, read from the database again only when it has changed."""

# ruff: noqa: ARG001  (Streamlit uses all arguments as the cache key, including unused ones)
import streamlit as st

from dashboard.data.cached_queries import change_mark
from mirpipe.db import queries


def finding_counts() -> list[queries.FindingCount]:
    """Return the number of tracks by kind and severity. It is at most 10 seconds old."""
    return _finding_counts(change_mark())


def findings(
    kinds: tuple[str, ...], collections: tuple[str, ...], limit: int, offset: int
) -> list[queries.AudioFinding]:
    """Return the findings of one page. They are at most 10 seconds old."""
    return _findings(change_mark(), kinds, collections, limit, offset)


def findings_n(kinds: tuple[str, ...], collections: tuple[str, ...]) -> int:
    """Return the number of findings of these kinds and collections, at most 10 seconds old."""
    return _findings_n(change_mark(), kinds, collections)


@st.cache_data(max_entries=4, show_spinner=False)
def _finding_counts(change_mark: str) -> list[queries.FindingCount]:
    return queries.finding_counts()


@st.cache_data(max_entries=8, show_spinner=False)
def _findings(
    change_mark: str,
    kinds: tuple[str, ...],
    collections: tuple[str, ...],
    limit: int,
    offset: int,
) -> list[queries.AudioFinding]:
    return queries.findings(kinds=kinds, collections=collections, limit=limit, offset=offset)


@st.cache_data(max_entries=8, show_spinner=False)
def _findings_n(change_mark: str, kinds: tuple[str, ...], collections: tuple[str, ...]) -> int:
    return queries.findings_n(kinds=kinds, collections=collections)

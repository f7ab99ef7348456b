"""Reads that are shared by all viewers: results once a run, the present when it has changed."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from datetime import datetime

import streamlit as st

from mirpipe.db import queries
from mirpipe.db.queries import embedding_maps as drawn
from mirpipe.db.queries import encoder_comparison, run_history

NOW_SECONDS = 10
"""How often it is asked whether the present has changed: what then follows scans whole tables."""

Key = tuple[int, datetime]
"""What identifies a run even where another database takes this one's place."""


def key(run: queries.Run) -> Key:
    """The key under which everything that this run reports may be kept."""
    return run.run_id, run.finished_at


@st.cache_data(max_entries=4, show_spinner=False)
def summary(run: Key) -> list[queries.Summary]:
    """Mean and sd by encoder and metric."""
    return queries.summary()


@st.cache_data(max_entries=4, show_spinner=False)
def encoders(run: Key) -> list[queries.EncoderRevision]:
    """The encoders, with checkpoint and licence."""
    return queries.encoders()


@st.cache_data(max_entries=16, show_spinner=False)
def changes(run: Key) -> list[queries.Change]:
    """The first answers that this run changed."""
    return queries.changes(run[0])


@st.cache_data(max_entries=4, show_spinner=False)
def targets(run: Key) -> list[queries.Target]:
    """Every usable target."""
    return queries.targets()


@st.cache_data(max_entries=4, show_spinner=False)
def comparisons(run: Key) -> list[encoder_comparison.Comparison]:
    """The encoders compared, paired over targets."""
    return encoder_comparison.comparisons()


@st.cache_data(max_entries=4, show_spinner=False)
def depths(run: Key) -> list[encoder_comparison.Depth]:
    """How near the answers are by encoder and rank."""
    return encoder_comparison.depths()


@st.cache_data(max_entries=4, show_spinner=False)
def target_matches(run: Key) -> list[encoder_comparison.TargetMatch]:
    """Every target's first answer by each encoder."""
    return encoder_comparison.target_matches()


@st.cache_data(max_entries=4, show_spinner=False)
def target_scores(run: Key) -> list[queries.TargetScore]:
    """The clips' numbers by target, mode and metric."""
    return queries.target_scores()


@st.cache_data(max_entries=1000, show_spinner=False)
def matches(run: Key, target_id: int, k: int) -> list[queries.Match]:
    """The k nearest references of a target by encoder."""
    return queries.matches(target_id, k=k)


@st.cache_data(max_entries=4, show_spinner=False)
def generation_summary(run: Key) -> list[queries.GenerationSummary]:
    """Mean and sd by generator, mode, guidance and metric."""
    return queries.generation_summary()


@st.cache_data(max_entries=4, show_spinner=False)
def generation_deltas(run: Key) -> list[queries.Delta]:
    """The modes compared, paired over targets."""
    return queries.generation_deltas()


@st.cache_data(max_entries=4, show_spinner=False)
def moments(run: Key) -> list[run_history.Moment]:
    """The last runs up to this one, newest first."""
    return run_history.moments()


@st.cache_data(max_entries=4, show_spinner=False)
def maps(run: Key) -> list[drawn.Map]:
    """The maps that the run drew."""
    return drawn.maps()


@st.cache_data(max_entries=8, show_spinner=False)
def points(run: Key, encoder: str) -> list[drawn.Point]:
    """Where tracks lie on one of them."""
    return drawn.points(encoder)


@st.cache_data(ttl=NOW_SECONDS, show_spinner=False)
def _written() -> str:
    return queries.written()


def library() -> list[queries.LibraryCount]:
    """Tracks by collection and state, as of a moment ago."""
    return _library(_written())


def pending() -> list[queries.Pending]:
    """Work that the next run will do, as of a moment ago."""
    return _pending(_written())


def failure_counts() -> list[queries.FailureCount]:
    """The ledger by stage and reason, as of a moment ago."""
    return _failure_counts(_written())


def unavailable() -> list[queries.Unavailable]:
    """Plug-ins that are left out, as of a moment ago."""
    return _unavailable(_written())


@st.cache_data(max_entries=4, show_spinner=False)
def _library(written: str) -> list[queries.LibraryCount]:
    return queries.library()


@st.cache_data(max_entries=4, show_spinner=False)
def _pending(written: str) -> list[queries.Pending]:
    return queries.pending()


@st.cache_data(max_entries=4, show_spinner=False)
def _failure_counts(written: str) -> list[queries.FailureCount]:
    return queries.failure_counts()


@st.cache_data(max_entries=4, show_spinner=False)
def _unavailable(written: str) -> list[queries.Unavailable]:
    return queries.unavailable()

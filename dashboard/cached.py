"""Reads that are shared by all viewers: results once a run, the present when it has changed."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from datetime import datetime

import streamlit as st

from mirpipe.db import reports
from mirpipe.db.reports import history, retrieval
from mirpipe.db.reports import maps as drawn

NOW_SECONDS = 10
"""How often it is asked whether the present has changed: what then follows scans whole tables."""

Key = tuple[int, datetime]
"""What identifies a run even where another database takes this one's place."""


def key(run: reports.Run) -> Key:
    """The key under which everything that this run reports may be kept."""
    return run.run_id, run.finished_at


@st.cache_data(max_entries=4, show_spinner=False)
def summary(run: Key) -> list[reports.Summary]:
    """Mean and sd by encoder and metric."""
    return reports.summary()


@st.cache_data(max_entries=4, show_spinner=False)
def encoders(run: Key) -> list[reports.EncoderRevision]:
    """The encoders, with checkpoint and licence."""
    return reports.encoders()


@st.cache_data(max_entries=16, show_spinner=False)
def changes(run: Key) -> list[reports.Change]:
    """The first answers that this run changed."""
    return reports.changes(run[0])


@st.cache_data(max_entries=4, show_spinner=False)
def targets(run: Key) -> list[reports.Target]:
    """Every usable target."""
    return reports.targets()


@st.cache_data(max_entries=4, show_spinner=False)
def comparisons(run: Key) -> list[retrieval.Comparison]:
    """The encoders compared, paired over targets."""
    return retrieval.comparisons()


@st.cache_data(max_entries=4, show_spinner=False)
def depths(run: Key) -> list[retrieval.Depth]:
    """How near the answers are by encoder and rank."""
    return retrieval.depths()


@st.cache_data(max_entries=4, show_spinner=False)
def target_answers(run: Key) -> list[retrieval.TargetAnswer]:
    """Every target's first answer by each encoder."""
    return retrieval.target_answers()


@st.cache_data(max_entries=4, show_spinner=False)
def target_scores(run: Key) -> list[reports.TargetScore]:
    """The clips' numbers by target, mode and metric."""
    return reports.target_scores()


@st.cache_data(max_entries=1000, show_spinner=False)
def answers(run: Key, target_id: int, k: int) -> list[reports.Answer]:
    """The k nearest references of a target by encoder."""
    return reports.answers(target_id, k=k)


@st.cache_data(max_entries=4, show_spinner=False)
def generation_summary(run: Key) -> list[reports.GenerationSummary]:
    """Mean and sd by generator, mode, guidance and metric."""
    return reports.generation_summary()


@st.cache_data(max_entries=4, show_spinner=False)
def generation_deltas(run: Key) -> list[reports.Delta]:
    """The modes compared, paired over targets."""
    return reports.generation_deltas()


@st.cache_data(max_entries=4, show_spinner=False)
def moments(run: Key) -> list[history.Moment]:
    """The last runs up to this one, newest first."""
    return history.moments()


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
    return reports.written()


def library() -> list[reports.LibraryCount]:
    """Tracks by collection and state, as of a moment ago."""
    return _library(_written())


def pending() -> list[reports.Pending]:
    """Work that the next run will do, as of a moment ago."""
    return _pending(_written())


def failure_counts() -> list[reports.FailureCount]:
    """The ledger by stage and reason, as of a moment ago."""
    return _failure_counts(_written())


def unavailable() -> list[reports.Unavailable]:
    """Plug-ins that are left out, as of a moment ago."""
    return _unavailable(_written())


@st.cache_data(max_entries=4, show_spinner=False)
def _library(written: str) -> list[reports.LibraryCount]:
    return reports.library()


@st.cache_data(max_entries=4, show_spinner=False)
def _pending(written: str) -> list[reports.Pending]:
    return reports.pending()


@st.cache_data(max_entries=4, show_spinner=False)
def _failure_counts(written: str) -> list[reports.FailureCount]:
    return reports.failure_counts()


@st.cache_data(max_entries=4, show_spinner=False)
def _unavailable(written: str) -> list[reports.Unavailable]:
    return reports.unavailable()

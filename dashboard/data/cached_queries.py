"""The cache of database queries, shared by all viewers.

Results of a run are read once per run. The current state of the library is read again when the
database has changed.
"""

# ruff: noqa: ARG001  (Streamlit keys the cache by all arguments, also by those that are not read)
from datetime import datetime

import streamlit as st

from mirpipe.db import queries
from mirpipe.db.queries import embedding_maps, encoder_comparison, run_history
from mirpipe.db.queries import group_summaries as group_queries

POLLING_SECONDS = 10
"""Interval of checks for changes. A change triggers queries that scan whole tables."""

RunKey = tuple[int, datetime]
"""Id and end time of a run. Runs of different databases can have the same id."""


def run_key(run: queries.Run) -> RunKey:
    """Return the cache key for all results of this run."""
    return run.run_id, run.finished_at


@st.cache_data(max_entries=4, show_spinner=False)
def summary(run: RunKey) -> list[queries.Summary]:
    """Return mean and sd by encoder and metric."""
    return queries.summary()


@st.cache_data(max_entries=4, show_spinner=False)
def encoders(run: RunKey) -> list[queries.EncoderRevision]:
    """Return the encoders with checkpoint and licence."""
    return queries.encoders()


@st.cache_data(max_entries=16, show_spinner=False)
def changes(run: RunKey) -> list[queries.Change]:
    """Return the best matches that this run changed."""
    return queries.changes(run[0])


@st.cache_data(max_entries=4, show_spinner=False)
def targets(run: RunKey) -> list[queries.Target]:
    """Return every usable target."""
    return queries.targets()


@st.cache_data(max_entries=4, show_spinner=False)
def comparisons(run: RunKey) -> list[encoder_comparison.Comparison]:
    """Return the comparisons of encoders, paired over targets."""
    return encoder_comparison.comparisons()


@st.cache_data(max_entries=4, show_spinner=False)
def similarity_by_rank(run: RunKey) -> list[encoder_comparison.Depth]:
    """Return the mean similarity of the matches by encoder and rank."""
    return encoder_comparison.depths()


@st.cache_data(max_entries=4, show_spinner=False)
def target_matches(run: RunKey) -> list[encoder_comparison.TargetMatch]:
    """Return the best match of every target by each encoder."""
    return encoder_comparison.target_matches()


@st.cache_data(max_entries=4, show_spinner=False)
def target_scores(run: RunKey) -> list[queries.TargetScore]:
    """Return the scores of the clips by target, mode and metric."""
    return queries.target_scores()


@st.cache_data(max_entries=1000, show_spinner=False)
def matches(run: RunKey, target_id: int, k: int) -> list[queries.Match]:
    """Return the k best matches of a target by each encoder."""
    return queries.matches(target_id, k=k)


@st.cache_data(max_entries=1000, show_spinner=False)
def fused_matches(run: RunKey, target_id: int) -> list[queries.FusedMatch]:
    """Return the first ten matches of a target by all encoders together."""
    return queries.fused_matches(target_id)


@st.cache_data(max_entries=1000, show_spinner=False)
def reranked_matches(run: RunKey, target_id: int) -> list[queries.RerankedMatch]:
    """Return the first ten matches of a target by cosine and by CSLS, for each encoder."""
    return queries.reranked_matches(target_id)


@st.cache_data(max_entries=4, show_spinner=False)
def generation_summary(run: RunKey) -> list[queries.GenerationSummary]:
    """Return mean and sd by generator, mode, guidance and metric."""
    return queries.generation_summary()


@st.cache_data(max_entries=4, show_spinner=False)
def generation_deltas(run: RunKey) -> list[queries.Delta]:
    """Return the comparisons of modes, paired over targets."""
    return queries.generation_deltas()


@st.cache_data(max_entries=16, show_spinner=False)
def group_summaries(run: RunKey, task: str, label: str) -> list[group_queries.GroupSummary]:
    """Return the summaries by "genre" or "instrument", for "retrieval" or "generation"."""
    if task == "retrieval":
        return group_queries.retrieval_by(label)
    return group_queries.generation_by(label)


@st.cache_data(max_entries=4, show_spinner=False)
def past_runs(run: RunKey) -> list[run_history.Moment]:
    """Return the last runs up to this one, newest first."""
    return run_history.moments()


@st.cache_data(max_entries=16, show_spinner=False)
def past_summaries(run: RunKey, task: str, run_ids: tuple[int, ...]) -> list[run_history.Past]:
    """Return the summaries of these runs, for "retrieval" or "generation"."""
    if task == "retrieval":
        return run_history.retrieval(list(run_ids))
    return run_history.generation(list(run_ids))


@st.cache_data(max_entries=16, show_spinner=False)
def changes_between(run: RunKey, then_id: int, now_id: int) -> list[run_history.Moved]:
    """Return the best matches that differ between two runs."""
    return run_history.moved(then_id, now_id)


@st.cache_data(max_entries=4, show_spinner=False)
def maps(run: RunKey) -> list[embedding_maps.Map]:
    """Return the maps of this run."""
    return embedding_maps.maps()


@st.cache_data(max_entries=8, show_spinner=False)
def map_points(run: RunKey, encoder: str) -> list[embedding_maps.Point]:
    """Return the positions of the tracks on the map of an encoder."""
    return embedding_maps.points(encoder)


def library() -> list[queries.LibraryCount]:
    """Return the number of tracks by collection and state, at most some seconds old."""
    return _library(_change_mark())


def pending() -> list[queries.Pending]:
    """Return the work of the next run, at most some seconds old."""
    return _pending(_change_mark())


def failure_counts() -> list[queries.FailureCount]:
    """Return the number of failures by stage and reason, at most some seconds old."""
    return _failure_counts(_change_mark())


def unavailable() -> list[queries.Unavailable]:
    """Return the plug-ins that cannot run, at most some seconds old."""
    return _unavailable(_change_mark())


@st.cache_data(ttl=POLLING_SECONDS, show_spinner=False)
def _change_mark() -> str:
    return queries.written()


@st.cache_data(max_entries=4, show_spinner=False)
def _library(change_mark: str) -> list[queries.LibraryCount]:
    return queries.library()


@st.cache_data(max_entries=4, show_spinner=False)
def _pending(change_mark: str) -> list[queries.Pending]:
    return queries.pending()


@st.cache_data(max_entries=4, show_spinner=False)
def _failure_counts(change_mark: str) -> list[queries.FailureCount]:
    return queries.failure_counts()


@st.cache_data(max_entries=4, show_spinner=False)
def _unavailable(change_mark: str) -> list[queries.Unavailable]:
    return queries.unavailable()

"""A cache for the results of database queries, shared by all viewers.

The results of a run are read only once. The current state of the library is read again when the
database has changed.
"""

# ruff: noqa: ARG001  (Streamlit uses all arguments as the cache key, including unused ones)
from datetime import datetime

import streamlit as st

from dashboard.data import current_state
from mirpipe.db import queries
from mirpipe.db.queries.embedding_maps import ClosestPair
from mirpipe.db.queries.embedding_maps import closest_pair as _closest_pair
from mirpipe.db.queries.library_differences import LibraryDifference
from mirpipe.db.queries.library_differences import library_differences as _library_differences
from mirpipe.db.queries.track_list import MAX_COUNTED
from mirpipe.records import Task

RunKey = tuple[int, datetime]
"""Id and end time of a run. The id alone is not enough: runs in different databases can share it.
"""


def run_key(run: queries.Run) -> RunKey:
    """Return the cache key for all results of this run."""
    return run.run_id, run.finished_at


@st.cache_data(max_entries=4, show_spinner=False)
def retrieval_summaries(run: RunKey) -> list[queries.RetrievalSummary]:
    """Return the mean and the sd by encoder and metric."""
    return queries.retrieval_summaries()


@st.cache_data(max_entries=4, show_spinner=False)
def encoder_revisions(run: RunKey) -> list[queries.EncoderRevision]:
    """Return the encoders with their checkpoints and licences."""
    return queries.encoder_revisions()


@st.cache_data(max_entries=4, show_spinner=False)
def active_encoders(run: RunKey) -> list[queries.ActiveEncoder]:
    """Return the active encoders with their licences."""
    return queries.active_encoders()


@st.cache_data(max_entries=16, show_spinner=False)
def best_match_changes(run: RunKey, limit: int, offset: int) -> list[queries.BestMatchChange]:
    """Return one page of the best matches that this run changed."""
    return queries.best_match_changes(run[0], limit=limit, offset=offset)


@st.cache_data(max_entries=4, show_spinner=False)
def targets(run: RunKey) -> list[queries.Target]:
    """Return every usable target."""
    return queries.targets()


@st.cache_data(max_entries=4, show_spinner=False)
def encoder_comparisons(run: RunKey) -> list[queries.EncoderComparison]:
    """Return the encoder comparisons, paired over targets."""
    return queries.encoder_comparisons()


@st.cache_data(max_entries=4, show_spinner=False)
def choice_sentences(run: RunKey, task: Task, metric: str) -> list[str]:
    """Return whether votes on the same targets may have chosen the primary metric."""
    return queries.choice_sentences(task, metric)


@st.cache_data(max_entries=4, show_spinner=False)
def similarity_by_rank(run: RunKey) -> list[queries.RankSimilarity]:
    """Return the mean similarity of matches by encoder and rank."""
    return queries.similarity_by_rank()


@st.cache_data(max_entries=4, show_spinner=False)
def same_recordings(run: RunKey) -> queries.SameRecordings:
    """Return how many matches are the same recording as their target."""
    return queries.same_recordings()


@st.cache_data(max_entries=4, show_spinner=False)
def ranking_measurement_sentences(run: RunKey) -> str:
    """Return when and on which targets rankings were measured. Empty if complete and current."""
    return queries.ranking_measurement_sentences()


@st.cache_data(max_entries=4, show_spinner=False)
def cosine_distributions(run: RunKey) -> list[queries.HistogramBin]:
    """Return the histograms of cosines and z, by encoder."""
    return queries.cosine_distributions()


@st.cache_data(max_entries=1000, show_spinner=False)
def matches(run: RunKey, target_id: int, k: int) -> list[queries.Match]:
    """Return the k best matches of a target by each encoder."""
    return queries.matches(target_id, k=k)


@st.cache_data(max_entries=1000, show_spinner=False)
def fused_matches(run: RunKey, target_id: int) -> list[queries.FusedMatch]:
    """Return the first ten matches of a target in the fused ranking by all encoders."""
    return queries.fused_matches(target_id)


@st.cache_data(max_entries=1000, show_spinner=False)
def reranked_matches(run: RunKey, target_id: int) -> list[queries.RerankedMatch]:
    """Return the first ten matches of a target by cosine and by CSLS, for each encoder."""
    return queries.reranked_matches(target_id)


@st.cache_data(max_entries=4, show_spinner=False)
def generation_summaries(run: RunKey) -> list[queries.GenerationSummary]:
    """Return the mean and the sd by generator, mode, guidance and metric."""
    return queries.generation_summaries()


@st.cache_data(max_entries=4, show_spinner=False)
def mode_comparisons(run: RunKey) -> list[queries.ModeComparison]:
    """Return the mode comparisons, paired over targets."""
    return queries.mode_comparisons()


@st.cache_data(max_entries=16, show_spinner=False)
def group_summaries(run: RunKey, task: str, label: str) -> list[queries.GroupSummary]:
    """Return the summaries by "genre" or "instrument", for "retrieval" or "generation"."""
    if task == "retrieval":
        return queries.retrieval_group_summaries(label)
    return queries.generation_group_summaries(label)


@st.cache_data(max_entries=4, show_spinner=False)
def past_runs(run: RunKey) -> list[queries.PastRun]:
    """Return the latest runs up to this run, newest first."""
    return queries.past_runs()


@st.cache_data(max_entries=16, show_spinner=False)
def past_summaries(run: RunKey, task: str, run_ids: tuple[int, ...]) -> list[queries.PastSummary]:
    """Return the summaries of these runs, for "retrieval" or "generation"."""
    if task == "retrieval":
        return queries.past_retrieval_summaries(list(run_ids))
    return queries.past_generation_summaries(list(run_ids))


@st.cache_data(max_entries=16, show_spinner=False)
def best_match_differences(
    run: RunKey, then_id: int, now_id: int, limit: int, offset: int
) -> list[queries.BestMatchDifference]:
    """Return one page of the best matches that differ between two runs."""
    return queries.best_match_differences(then_id, now_id, limit=limit, offset=offset)


@st.cache_data(max_entries=16, show_spinner=False)
def best_match_difference_counts(
    run: RunKey, then_id: int, now_id: int
) -> queries.DifferenceCounts:
    """Return how many best matches differ between two runs, and the causes."""
    return queries.best_match_difference_counts(then_id, now_id)


@st.cache_data(max_entries=16, show_spinner=False)
def library_differences(
    run: RunKey, then_id: int, now_id: int, limit: int
) -> list[LibraryDifference]:
    """Return references and targets that only one of two runs contains."""
    return _library_differences(then_id, now_id, limit=limit)


@st.cache_data(max_entries=4, show_spinner=False)
def maps(run: RunKey) -> list[queries.EmbeddingMap]:
    """Return the maps of this run."""
    return queries.maps()


@st.cache_data(max_entries=8, show_spinner=False)
def map_points(run: RunKey, encoder: str) -> list[queries.MapPoint]:
    """Return the track positions on the map of an encoder."""
    return queries.map_points(encoder)


@st.cache_data(max_entries=8, show_spinner=False)
def closest_pair(run: RunKey, encoder: str) -> ClosestPair | None:
    """Return the most similar best match by an encoder."""
    return _closest_pair(encoder)


def latest_run() -> queries.Run | None:
    """Return the run whose results are shown, or None before the first run."""
    return next(iter(last_runs()), None)


def last_runs() -> list[queries.Run]:
    """Return the last runs, newest first. The list is at most 10 seconds old."""
    return current_state.read(queries.last_runs)


def library_counts() -> list[queries.LibraryCount]:
    """Return the number of tracks by collection and state. It is at most 10 seconds old."""
    return current_state.read(queries.library_counts)


def pending_work() -> list[queries.PendingWork]:
    """Return the work that the next run will do. It is at most 10 seconds old."""
    return current_state.read(queries.pending_work)


def failure_counts() -> list[queries.FailureCount]:
    """Return the number of failures by stage and reason. It is at most 10 seconds old."""
    return current_state.read(queries.failure_counts)


def searched_once(chosen: queries.TrackFilter) -> queries.TrackFilter:
    """Return a filter of the tracks that this filter's words find. It is at most 10 seconds old.

    A search reads the texts of all tracks, so a page searches once, not for each of its parts. If
    the words find more than `MAX_COUNTED` tracks, the filter is returned as it is.
    """
    if not chosen.search:
        return chosen
    found = current_state.read(queries.found_track_ids, chosen)
    return chosen if len(found) > MAX_COUNTED else queries.TrackFilter(track_ids=found)


def listed_tracks_n(chosen: queries.TrackFilter) -> int:
    """Return the number of tracks that are listed. It is at most 10 seconds old."""
    return current_state.read(queries.listed_tracks_n, chosen)


def listed_tracks(
    chosen: queries.TrackFilter, sort: str, descending: bool, limit: int, offset: int
) -> list[queries.ListedTrack]:
    """Return one page of the list of tracks. It is at most 10 seconds old."""
    return current_state.read(
        queries.listed_tracks, chosen, sort=sort, descending=descending, limit=limit, offset=offset
    )


def similar_references(
    track_id: int, content_sha256: str, k: int
) -> list[queries.SimilarReferences]:
    """Return the nearest references of a track by each encoder. It is at most 10 seconds old."""
    return current_state.read(queries.similar_references, track_id, content_sha256, k=k)

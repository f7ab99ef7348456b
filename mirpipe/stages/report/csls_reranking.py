"""Re-ranks the nearest references of each query by CSLS, and stores the new order of matches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists
from mirpipe.db.store.run_csls_and_fusion_matches import Matches, insert_matches
from mirpipe.db.store.track_vectors import TrackVectors
from mirpipe.records import Float32, Float64, Int64
from mirpipe.stages.report.filtered_relevance import FilteredRelevance
from mirpipe.stages.report.full_rankings import QueryRankings, RankedLibrary
from mirpipe.statistics.csls import csls, mean_neighbour_cosines, rerank_order
from mirpipe.statistics.left_out_ranks import reorder_without

MAX_COSINES = 1 << 28
"""Largest number of cosines that the local scaling computes. It takes a few seconds.

If a library needs more cosines, the nearest references are searched for only among some of the
references, which are called the base. They are the references with the lowest content hashes.
"""
MIN_BASE = 1_000
"""Smallest number of references in the base. The base of a smaller library is the whole library."""
MAX_BASE = 1 << 14
"""Largest number of references in the base."""
_BLOCK_TRACKS = 1 << 12
"""Number of tracks whose vectors are in memory at the same time."""


@dataclass(frozen=True)
class Reranking:
    """The K nearest references of n queries by cosine, re-ranked by CSLS."""

    by_cosine: QueryRankings
    order: Int64
    """Columns of `by_cosine.places` in CSLS order, best first. Shape (n, K)."""
    scores: Float64
    """CSLS scores, in the same columns as in `by_cosine.places`. Shape (n, K)."""

    @property
    def places(self) -> Int64:
        """Reference indices in CSLS order, best first, padded with -1. Shape (n, K)."""
        return np.take_along_axis(self.by_cosine.places, self.order, axis=1)


def rerank(
    library: RankedLibrary, query_sets: Sequence[QueryRankings]
) -> tuple[list[Reranking], int]:
    """Return each query set ranked by CSLS, and the number of references in the base.

    The local scaling r of a track is the mean cosine similarity between the track and its nearest
    references in the base.
    """
    count = len(library.references.track_ids)
    candidates = np.unique(np.concatenate([queries.places.ravel() for queries in query_sets]))
    candidates = candidates[candidates >= 0]
    tracks_n = len(candidates) + sum(len(queries.track_ids) for queries in query_sets)
    base_n = min(count, MAX_BASE, max(MIN_BASE, MAX_COSINES // tracks_n))
    reference_r = np.full(count + 1, np.nan)  # The last item is for index -1: no reference.
    base = library.references.rows(slice(base_n))
    reference_r[candidates] = _local_scaling(library.references, candidates, base, own=candidates)
    rerankings = []
    for queries in query_sets:
        rows = np.arange(len(queries.track_ids))
        query_r = _local_scaling(queries.vectors, rows, base, own=queries.own)
        scores = csls(queries.cosines, query_r, reference_r[queries.places])
        rerankings.append(Reranking(queries, rerank_order(scores, queries.places), scores))
    return rerankings, base_n


def relevance_by_csls(reranking: Reranking) -> FilteredRelevance:
    """Return the relevance of the rankings by CSLS, without the same recordings of each query.

    There are no filters by CSLS: an album or an artist can fill the few ranks that CSLS re-ranks.
    """
    by_cosine = reranking.by_cosine
    order = reorder_without(reranking.order, by_cosine.left_out)
    unfiltered = by_cosine.relevance[0]
    return replace(
        unfiltered,
        relevance={
            label: relevance.reordered(order) for label, relevance in unfiltered.relevance.items()
        },
    )


def insert_reranked_matches(
    connection: Connection, run_id: int, library: RankedLibrary, reranking: Reranking
) -> None:
    """Store the first matches of each target in CSLS order."""
    order = reranking.order[:, : neighbour_lists.SHOWN_MATCHES]
    places = np.take_along_axis(reranking.by_cosine.places, order, axis=1)
    row, column = np.nonzero(places >= 0)
    cosine_column = order[row, column]
    matches = Matches(
        reranking.by_cosine.track_ids[row],
        column + 1,
        library.references.track_ids[places[row, column]],
        reranking.scores[row, cosine_column],
        reranking.by_cosine.cosines[row, cosine_column],
        cosine_column + 1,
    )
    insert_matches(connection, run_id, "csls", library.encoder_id, matches)


def _local_scaling(vectors: TrackVectors, places: Int64, base: Float32, *, own: Int64) -> Float64:
    """Return the local scaling r of the tracks with these indices, shape (n,).

    `base` contains the vectors of the base. `own`, shape (n,), is the index of the reference with
    the same content as the track, or -1.
    """
    own_in_base = np.where(own < len(base), own, -1)
    result = np.empty(len(places))
    for start in range(0, len(places), _BLOCK_TRACKS):
        block = slice(start, start + _BLOCK_TRACKS)
        rows = vectors.rows(places[block])
        result[block] = mean_neighbour_cosines(rows, base, own=own_in_base[block])
    return result

"""Ranks all references of one encoder for each target, and for some of the references."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists
from mirpipe.db.store.searchable_tracks import searchable_references, searchable_targets
from mirpipe.db.store.track_labels import read_hashes_and_labels, read_label_blocks
from mirpipe.db.store.track_vectors import TrackVectors
from mirpipe.records import Float64, Int64
from mirpipe.settings import settings
from mirpipe.stages.report.filtered_relevance import FilteredRelevance, RelevanceByFilter
from mirpipe.stages.report.left_out_references import LeftOut, left_out_references
from mirpipe.statistics.exact_top_k import NO_REFERENCE
from mirpipe.statistics.full_ranking import full_ranking
from mirpipe.statistics.label_relevance import LabelSets, shared_label_sets
from mirpipe.statistics.left_out_ranks import LeftOutRanks

REFERENCE_QUERIES = 1_000
"""Largest number of references that are also queries.

In a larger library, the references with the lowest content hashes are the queries.
"""
_BLOCK_QUERIES = 2_048
"""Number of queries whose vectors are in memory at the same time."""


@dataclass(frozen=True)
class RankedLibrary:
    """The searchable references of an encoder, in the order of their content hashes."""

    encoder_id: int
    references: TrackVectors
    hashes: NDArray[np.bytes_]
    """Content hashes of the references, ascending, shape (references,)."""
    labels: dict[str, LabelSets]
    """Label sets of the references, by label. Only the labels that a reference has are included."""


@dataclass(frozen=True)
class QueryRankings:
    """The K nearest references of n queries, and the relevance of the full rankings.

    The same recordings as a query are among its nearest references. Only the relevance leaves
    them out.
    """

    name: str
    """Name of the query set: `targets` or `references`."""
    vectors: TrackVectors
    """Vectors of the queries. Other tracks can follow them."""
    track_ids: Int64
    """Track ids of the queries, shape (n,)."""
    own: Int64
    """Index of the reference with the same content as the query, or NO_REFERENCE. Shape (n,)."""
    places: Int64
    """Indices of the nearest references, best first, padded with -1. Shape (n, K)."""
    cosines: Float64
    """Cosine similarities of the nearest references, shape (n, K)."""
    relevance: list[FilteredRelevance]
    """Relevance of the full rankings without the references that are left out, for each filter."""
    left_out: LeftOutRanks
    """Ranks of the same recordings of each query, which are left out without a filter."""


def rank_library(
    connection: Connection, encoder_id: int
) -> tuple[RankedLibrary, list[QueryRankings]] | None:
    """Return the library, and the rankings of both query sets. Empty query sets are left out.

    Returns None if there are no references.
    """
    references = searchable_references(connection, encoder_id)
    count = len(references.track_ids)
    if not count:
        return None
    target_ids = searchable_targets(connection, encoder_id)[: settings().ranked_targets]
    query_ids = references.track_ids[:REFERENCE_QUERIES]
    all_queries = np.concatenate((target_ids, query_ids))
    queries = read_hashes_and_labels(connection, all_queries)
    labels = shared_label_sets(queries.labels, read_label_blocks(connection, references.track_ids))
    library = RankedLibrary(
        encoder_id,
        TrackVectors(connection, encoder_id, references.track_ids),
        references.hashes,
        {label: reference_sets for label, (reference_sets, _) in labels.items()},
    )
    targets = slice(len(target_ids))
    query_sets = [
        ("targets", target_ids, references.places_of(queries.hashes[targets]), targets),
        ("references", query_ids, np.arange(len(query_ids)), slice(len(target_ids), None)),
    ]
    left_out = left_out_references(connection, all_queries, references.track_ids)
    return library, [
        _rank(
            library,
            name,
            TrackVectors(connection, encoder_id, ids) if name == "targets" else library.references,
            ids,
            own,
            {label: sets[rows] for label, (_, sets) in labels.items()},
            [each[rows] for each in left_out],
        )
        for name, ids, own, rows in query_sets
        if len(ids) and not (name == "references" and count < 2)
    ]


def _rank(
    library: RankedLibrary,
    name: str,
    vectors: TrackVectors,
    track_ids: Int64,
    own: Int64,
    labels: dict[str, LabelSets],
    left_out: Sequence[LeftOut],
) -> QueryRankings:
    """Rank the library for one query set. `labels` and `left_out` are those of the queries."""
    count = len(library.references.track_ids)
    places, cosines = [], []
    relevance = RelevanceByFilter(library.labels, labels, left_out)
    for start in range(0, len(track_ids), _BLOCK_QUERIES):
        rows = slice(start, min(start + _BLOCK_QUERIES, len(track_ids)))
        rankings = full_ranking(
            vectors.rows(rows),
            library.references.blocks,
            count,
            own=own[rows],
            kept=neighbour_lists.MAX_ENTRIES,
        )
        for part in rankings:
            first_places = part.places[:, : neighbour_lists.MAX_ENTRIES].copy()
            if first_places.shape[1] == count:
                first_places[part.own, -1] = NO_REFERENCE
            places.append(first_places)
            cosines.append(part.cosines)
            relevance.add(part.places, count - part.own, kept=neighbour_lists.MAX_ENTRIES)
            del part  # Otherwise it stays in memory while the next rankings are computed.
    return QueryRankings(
        name,
        vectors,
        track_ids,
        own,
        np.concatenate(places),
        np.concatenate(cosines),
        relevance.result(),
        relevance.same_recordings,
    )

"""Computes the cosines of reference pairs, which are the scale for percentiles."""

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import binary_copy
from mirpipe.db.store.searchable_tracks import searchable_references
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.records import Float64
from mirpipe.statistics.exact_cosines import cosines
from mirpipe.statistics.reference_pair_sample import sample_pairs


def reference_pair_cosines(
    connection: Connection, encoder_id: int, *, limit: int = 100_000
) -> Float64:
    """Return the cosines of at most `limit` reference pairs, ascending, shape (pairs,).

    In a small library, all pairs are used. The choice of pairs depends only on the content of the
    references, so equal libraries have equal cosines.
    """
    track_ids = searchable_references(connection, encoder_id).track_ids
    first, second = sample_pairs(len(track_ids), limit)
    result = np.empty(len(first))
    for start in range(0, len(first), binary_copy.BLOCK_ROWS):
        block = slice(start, start + binary_copy.BLOCK_ROWS)
        places = np.unique(np.concatenate((first[block], second[block])))
        parts = list(read_vectors(connection, encoder_id, track_ids[places]))
        vectors = np.concatenate([part for _, part in parts])
        vectors[np.concatenate([indices for indices, _ in parts])] = vectors.copy()
        result[block] = cosines(
            vectors[np.searchsorted(places, first[block])],
            vectors[np.searchsorted(places, second[block])],
        )
    return np.sort(result)

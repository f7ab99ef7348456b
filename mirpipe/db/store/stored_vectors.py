"""Reads the stored track vectors: block by block, or all at once in the order of the ids."""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import binary_copy
from mirpipe.db.store.array_literals import array_literal
from mirpipe.records import Float32, Int64

_VECTORS = (
    "SELECT track_id, embedding FROM mirpipe.embedding "
    "WHERE encoder_id = %(encoder_id)s AND track_id = ANY(CAST(%(track_ids)s AS bigint[]))"
)


def read_vectors(
    connection: Connection, encoder_id: int, track_ids: Sequence[int] | Int64
) -> Iterator[tuple[Int64, Float32]]:
    """Yield blocks of vectors: indices in `track_ids`, shape (m,), and vectors, shape (m, D).

    The vectors are float32. Tracks without a vector are left out. The order within a block is
    arbitrary.
    """
    for start in range(0, len(track_ids), binary_copy.BLOCK_ROWS):
        block_ids = np.asarray(track_ids[start : start + binary_copy.BLOCK_ROWS], np.int64)
        found_ids, vectors = binary_copy.select_vectors(
            connection,
            _VECTORS,
            {"encoder_id": encoder_id, "track_ids": array_literal(block_ids.tolist())},
        )
        if len(found_ids):
            order = np.argsort(block_ids)
            yield start + order[np.searchsorted(block_ids[order], found_ids)], vectors


def read_vectors_in_order(connection: Connection, encoder_id: int, track_ids: Int64) -> Float32:
    """Return one vector per track, in the order of `track_ids`, shape (n, D), float32.

    Every track must have a vector from the encoder.
    """
    vectors = np.empty((len(track_ids), 0), np.float32)
    for indices, block in read_vectors(connection, encoder_id, track_ids):
        if not vectors.shape[1]:
            vectors = np.empty((len(track_ids), block.shape[1]), np.float32)
        vectors[indices] = block
    return vectors

"""Blocks of references, and their distinct vectors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float32, Int64


class Block(NamedTuple):
    """A block of references."""

    vectors: Float32
    """Unit vectors, shape (m, D), float32."""
    order: Int64
    """Tie order of each reference, shape (m,). If cosines are equal, the lower one comes first."""


class DistinctVectors(NamedTuple):
    """The distinct vectors of a block, each with the tie orders of the references that have it."""

    vectors: Float32
    """Distinct vectors, shape (groups, D)."""
    starts: Int64
    """Start index of each group in `order`, shape (groups + 1,)."""
    order: Int64
    """Tie orders of all references, group by group, ascending within a group."""


def distinct_vectors(block: Block) -> DistinctVectors:
    """Return the distinct vectors of the block: one row for all equal vectors.

    Without this, ten thousand copies of a vector could be ten thousand candidates for every target.
    """
    vectors = np.ascontiguousarray(block.vectors)
    # The first two numbers alone show in most blocks that all vectors are distinct.
    if len(np.unique(_as_bytes(vectors[:, :2]))) == len(vectors):
        return DistinctVectors(vectors, np.arange(len(vectors) + 1), block.order)
    _, rows, group = np.unique(_as_bytes(vectors), return_index=True, return_inverse=True)
    sequence = np.lexsort((block.order, group))
    starts = np.searchsorted(group[sequence], np.arange(len(rows) + 1))
    return DistinctVectors(vectors[rows], starts, block.order[sequence])


def _as_bytes(rows: Float32) -> NDArray[np.void]:
    """Return one item per row, shape (n,), so that equal rows are equal items."""
    rows = np.ascontiguousarray(rows)
    return rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()

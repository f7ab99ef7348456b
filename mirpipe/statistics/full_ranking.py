"""Every reference in order for each query: highest cosine first, ties by content hash.

Cosines are summed in float64 and held to a grid far finer than the float32 vectors carry meaning
(2^-44 at a hundred thousand references), so that equal vectors tie whatever the block they came in.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float32, Float64, Int64
from mirpipe.statistics.exact_top_k import Block

NOBODY = -1
"""Place of a reference that does not exist."""

CELLS = 1 << 26
"""Products that are in memory at once: half a gigabyte."""


@dataclass(frozen=True)
class Ranked:
    """The queries `rows` (m,) and, for each, the places of all `count` references.

    `places` has shape (m, count), best first; where `own` (m,) is true the last place is the
    query's own reference, which is no answer.
    """

    rows: Int64
    places: Int64
    own: NDArray[np.bool_]
    cosines: Float64
    """Of the first references, shape (m, kept)."""


def full_ranking(
    queries: Float32,
    blocks: Callable[[], Iterable[Block]],
    count: int,
    *,
    own: Int64,
    kept: int,
) -> Iterator[Ranked]:
    """The rankings of `queries`, unit vectors of shape (n, D), as many at a time as CELLS allows.

    `blocks()` gives all `count` references, whose `order` is their place, 0 to count - 1; it is
    asked once for each part. `own` (n,) is the place of the reference that a query must not get.
    """
    shift = max(count - 1, 1).bit_length()
    scale = 2.0 ** (61 - shift)
    part = max(CELLS // max(count, 1), 1)
    for start in range(0, len(queries), part):
        rows = np.arange(start, min(start + part, len(queries)))
        keys = _keys(queries[rows].astype(np.float64), blocks(), count, own[rows], shift, scale)
        keys.sort(axis=1)
        cosines = (keys[:, :kept] >> shift) / -scale
        keys &= (1 << shift) - 1
        yield Ranked(rows, keys, own[rows] != NOBODY, cosines)


def _keys(
    queries: Float64, blocks: Iterable[Block], count: int, own: Int64, shift: int, scale: float
) -> Int64:
    """Whole numbers that sort as the ranking does: the cosine turned round, then the place."""
    keys = np.empty((len(queries), count), np.int64)
    scaled = queries * -scale  # exact: a power of two
    filled = 0
    for block in blocks:
        products = scaled @ block.vectors.astype(np.float64).T
        part = keys[:, filled : filled + len(block.order)]
        np.rint(products, out=part, casting="unsafe")
        part <<= shift
        part |= block.order
        mine = np.flatnonzero(np.isin(own, block.order))
        hit, column = np.nonzero(own[mine, None] == block.order)
        part[mine[hit], column] = (np.iinfo(np.int64).max >> shift << shift) | own[mine[hit]]
        filled += len(block.order)
    if filled != count:
        raise ValueError(f"{filled} references were given, not {count}")
    return keys

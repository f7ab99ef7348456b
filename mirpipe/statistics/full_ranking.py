"""Rankings of all references for each query: highest cosine first, ties sorted by content hash.

Cosines are summed in float64 and rounded to a grid that is much finer than float32 but coarser than
the rounding errors of the sum (2^-44, or 2^-41 for a million references). This gives equal vectors
equal cosines, even if the vectors are in different blocks.

numpy's stable argsort is not used because it is slower: each cosine and its reference index are
packed into one integer, and sorting these integers takes a fifth of the time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from mirpipe.records import Bool, Float32, Float64, Int64
from mirpipe.statistics.distinct_vectors import Block
from mirpipe.statistics.exact_top_k import NO_REFERENCE

MAX_PRODUCTS = 1 << 25
"""Number of cosines that are in memory at the same time: 256 MiB."""
_MAX_REFERENCES = 1 << 10
"""Number of references that are multiplied at the same time. Their vectors in float64 and the
products fit into the CPU cache."""


@dataclass(frozen=True)
class FullRanking:
    """The rankings of m queries."""

    rows: Int64
    """Row indices of the queries, shape (m,)."""
    places: Int64
    """Indices of all references, best first, shape (m, count). Ties are sorted by index."""
    own: Bool
    """Whether the last index is the query's own reference, which is not a match. Shape (m,)."""
    cosines: Float64
    """Cosines of the best `kept` references, shape (m, kept)."""


def full_ranking(
    queries: Float32,
    blocks: Callable[[], Iterable[Block]],
    count: int,
    *,
    own: Int64,
    kept: int,
) -> Iterator[FullRanking]:
    """Yield the rankings of all queries, as many at a time as MAX_PRODUCTS allows.

    `queries` are unit vectors, shape (n, D), float32. `blocks()` returns all `count` references;
    their `order` is their index, 0 … count − 1. `blocks` is called once per yielded result. `own`,
    shape (n,), is the index of the reference that a query must not match, or -1. The memory is that
    of MAX_PRODUCTS if the caller deletes each result before it asks for the next one. Raises
    ValueError if the blocks do not contain `count` references.
    """
    place_bits = max(count - 1, 1).bit_length()
    scale = 2.0 ** min(61 - place_bits, 44)
    batch = max(MAX_PRODUCTS // max(count, 1), 1)
    for start in range(0, len(queries), batch):
        rows = np.arange(start, min(start + batch, len(queries)))
        # The result has no name here, so that it does not stay in memory.
        yield _rank(rows, queries[rows], blocks(), count, own[rows], kept, place_bits, scale)


def _rank(
    rows: Int64,
    queries: Float32,
    blocks: Iterable[Block],
    count: int,
    own: Int64,
    kept: int,
    place_bits: int,
    scale: float,
) -> FullRanking:
    keys = _sort_keys(queries.astype(np.float64), blocks, count, own, place_bits, scale)
    keys.sort(axis=1)
    cosines = (keys[:, :kept] >> place_bits) / -scale
    keys &= (1 << place_bits) - 1
    return FullRanking(rows, keys, own != NO_REFERENCE, cosines)


def _sort_keys(
    queries: Float64, blocks: Iterable[Block], count: int, own: Int64, place_bits: int, scale: float
) -> Int64:
    """Return integers whose ascending order is the ranking, shape (queries, count).

    The high bits contain the negative cosine, and the low `place_bits` bits contain the index.
    """
    keys = np.empty((len(queries), count), np.int64)
    scaled = queries * -scale  # This is exact, because the scale is a power of two.
    filled = 0
    for block in chain.from_iterable(map(_parts, blocks)):
        products = scaled @ block.vectors.astype(np.float64).T
        part = keys[:, filled : filled + len(block.order)]
        np.rint(products, out=part, casting="unsafe")
        part <<= place_bits
        part |= block.order
        has_own = np.flatnonzero(np.isin(own, block.order))
        hit, column = np.nonzero(own[has_own, None] == block.order)
        last_key = np.iinfo(np.int64).max >> place_bits << place_bits
        part[has_own[hit], column] = last_key | own[has_own[hit]]
        filled += len(block.order)
    if filled != count:
        raise ValueError(f"expected {count} references, but the blocks contain {filled}")
    return keys


def _parts(block: Block) -> Iterator[Block]:
    for start in range(0, len(block.order), _MAX_REFERENCES):
        part = slice(start, start + _MAX_REFERENCES)
        yield Block(block.vectors[part], block.order[part])

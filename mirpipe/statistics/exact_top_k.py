"""The k most similar references for each target: exact, and bit-identical on every machine.

First, a float32 product selects candidates, with a margin for all rounding errors. After that, the
cosine of each candidate is summed in float64, in an order that depends only on the dimension.

scikit-learn's NearestNeighbors is not used because its results depend on the block size and on the
number of threads, and it does not sort ties by content hash. faiss-cpu's IndexFlatIP has the same
limits, and takes nine tenths of the CPU time of this module.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float32, Float64, Int64

NO_REFERENCE = -1
"""Tie order that stands for "no reference"."""

_MAX_PAIRS = 512
"""Number of pairs whose cosines are computed together, so that all products fit in the CPU cache.
"""
_MAX_TARGETS = 512
"""Number of targets per block. This limits memory use when every pair is a candidate."""


class Block(NamedTuple):
    """A block of references."""

    vectors: Float32
    """Unit vectors, shape (m, D), float32."""
    order: Int64
    """Tie order of each reference, shape (m,). If cosines are equal, the lower one comes first."""


@dataclass(frozen=True)
class TopMatches:
    """The best matches of all targets: one row per match, as three arrays of equal length.

    The rows are sorted by target, then by descending cosine, then by tie order.
    """

    target: Int64
    """Row index of the target."""
    order: Int64
    """Tie order of the reference, which identifies it."""
    cosine: Float64


class _DistinctVectors(NamedTuple):
    """The distinct vectors of a block, each with the tie orders of the references that have it."""

    vectors: Float32
    """Distinct vectors, shape (groups, D)."""
    starts: Int64
    """Start index of each group in `order`, shape (groups + 1,)."""
    order: Int64
    """Tie orders of all references, group by group, ascending within a group."""


_NO_MATCHES = TopMatches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def cosines(targets: Float32, references: Float32) -> Float64:
    """Return the cosine between each row of `targets` and the same row of `references`, shape (n,).

    Both arrays contain unit vectors, shape (n, D), float32. The result is the dot product in
    float64, limited to [-1, 1]. The products are summed in a binary tree, so the bits of the result
    depend only on the two vectors.
    """
    result = np.empty(len(targets))
    for start in range(0, len(targets), _MAX_PAIRS):
        part = slice(start, start + _MAX_PAIRS)
        products = targets[part].astype(np.float64)
        products *= references[part]  # This is exact: a product of two float32 values has 48 bits.
        width = products.shape[1]
        while width > 1:
            half = (width + 1) // 2
            products[:, : width - half] += products[:, half:width]
            width = half
        result[part] = products[:, 0]
    return np.clip(result, -1.0, 1.0) + 0.0  # Adding 0.0 turns a negative zero into zero.


def top_k(
    targets: Float32,
    blocks: Iterable[Block],
    k: int,
    *,
    own: Int64 | None = None,
    floor_cosine: Float64 | None = None,
    floor_order: Int64 | None = None,
) -> TopMatches:
    """Return the `k` references with the highest cosine for each target.

    `targets` are unit vectors, shape (n, D), float32. If cosines are equal, the lower tie order
    comes first; no two references have the same tie order. `own`, shape (n,), is the tie order of
    the reference that a target must not match, or -1. `floor_cosine` and `floor_order`, shape (n,),
    exclude references with a lower cosine than `floor_cosine`, or with the same cosine and a higher
    tie order than `floor_order`.

    A target has fewer than `k` matches if there are not enough references. One block, its products
    with all targets, and the matches are in memory at the same time.
    """
    count = len(targets)
    own = np.full(count, NO_REFERENCE, np.int64) if own is None else own
    floor = np.full(count, -np.inf) if floor_cosine is None else floor_cosine
    last = np.full(count, np.iinfo(np.int64).max) if floor_order is None else floor_order
    parts = [
        slice(start, min(start + _MAX_TARGETS, count)) for start in range(0, count, _MAX_TARGETS)
    ]
    best = [_NO_MATCHES for _ in parts]
    for block in blocks:
        distinct = _distinct_vectors(block)
        best = [
            _add_block(matches, distinct, k, targets[part], own[part], floor[part], last[part])
            for matches, part in zip(best, parts, strict=True)
        ]
    return TopMatches(
        np.concatenate(
            [matches.target + part.start for matches, part in zip(best, parts, strict=True)]
            or [_NO_MATCHES.target]
        ),
        np.concatenate([matches.order for matches in best] or [_NO_MATCHES.order]),
        np.concatenate([matches.cosine for matches in best] or [_NO_MATCHES.cosine]),
    )


def _add_block(
    best: TopMatches,
    distinct: _DistinctVectors,
    k: int,
    targets: Float32,
    own: Int64,
    floor: Float64,
    last: Int64,
) -> TopMatches:
    """Return the best matches among those in `best` and the references of a block."""
    bound = np.maximum(_lowest_cosines(best, len(targets), k), floor)
    target, group = _candidates(targets, distinct.vectors, k, bound)
    cosine = _candidate_cosines(targets, distinct.vectors, target, group)
    target, order, cosine = _expand_groups(distinct, target, group, cosine, k)
    is_allowed = (order != own[target]) & (
        (cosine > floor[target]) | ((cosine == floor[target]) & (order <= last[target]))
    )
    added = TopMatches(target[is_allowed], order[is_allowed], cosine[is_allowed])
    return _merge(best, added, k)


def _distinct_vectors(block: Block) -> _DistinctVectors:
    """Return the distinct vectors of the block: one row for all equal vectors.

    Without this, ten thousand copies of a vector could be ten thousand candidates for every target.
    """
    vectors = np.ascontiguousarray(block.vectors)
    # The first two numbers alone show in most blocks that all vectors are distinct.
    if len(np.unique(_as_bytes(vectors[:, :2]))) == len(vectors):
        return _DistinctVectors(vectors, np.arange(len(vectors) + 1), block.order)
    _, rows, group = np.unique(_as_bytes(vectors), return_index=True, return_inverse=True)
    sequence = np.lexsort((block.order, group))
    starts = np.searchsorted(group[sequence], np.arange(len(rows) + 1))
    return _DistinctVectors(vectors[rows], starts, block.order[sequence])


def _as_bytes(rows: Float32) -> NDArray[np.void]:
    """Return one item per row, shape (n,), so that equal rows are equal items."""
    rows = np.ascontiguousarray(rows)
    return rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()


def _candidates(targets: Float32, vectors: Float32, k: int, bound: Float64) -> tuple[Int64, Int64]:
    """Return pairs (target, row of `vectors`) that include every pair with a cosine in the top k.

    `bound`, shape (n,), is a cosine that a match must reach. In float32, the error of a sum of D
    products is at most D u / (1 − D u) times the product of the vector lengths, with u = 2^-24, in
    whatever order they are summed (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
    """
    margin = 1.01 * targets.shape[1] * 2.0**-24 + 1e-5  # 1e-5: the lengths are not exactly 1.
    products = targets @ vectors.T
    needed = k + 1  # One of the references may be the target's own.
    if len(vectors) > needed and not np.isfinite(bound).all():
        reached = np.partition(products, len(vectors) - needed, axis=1)[:, len(vectors) - needed]
        bound = np.maximum(bound, reached.astype(np.float64) - margin)
    threshold = np.nextafter((bound - margin).astype(np.float32), np.float32(-np.inf))
    target, row = np.divmod(np.flatnonzero(products >= threshold[:, None]), len(vectors))
    return target, row


def _lowest_cosines(best: TopMatches, count: int, k: int) -> Float64:
    """Return the lowest cosine of each target that has k matches, and -inf for other targets.

    The result has the shape (count,).
    """
    ends = np.searchsorted(best.target, np.arange(count), side="right")
    is_full = np.bincount(best.target, minlength=count) == k
    lowest = np.full(count, -np.inf)
    lowest[is_full] = best.cosine[ends[is_full] - 1]
    return lowest


def _candidate_cosines(targets: Float32, vectors: Float32, target: Int64, row: Int64) -> Float64:
    result = np.empty(len(target))
    for start in range(0, len(target), _MAX_PAIRS):
        part = slice(start, start + _MAX_PAIRS)
        result[part] = cosines(targets[target[part]], vectors[row[part]])
    return result


def _expand_groups(
    distinct: _DistinctVectors, target: Int64, group: Int64, cosine: Float64, k: int
) -> tuple[Int64, Int64, Float64]:
    """Replace each group with its references: at most k + 1, as one may be the target's own."""
    size = np.minimum(np.diff(distinct.starts), k + 1)[group]
    pair = np.repeat(np.arange(len(target)), size)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
    return target[pair], distinct.order[distinct.starts[group[pair]] + offset], cosine[pair]


def _merge(best: TopMatches, added: TopMatches, k: int) -> TopMatches:
    target = np.concatenate((best.target, added.target))
    order = np.concatenate((best.order, added.order))
    cosine = np.concatenate((best.cosine, added.cosine))
    sequence = _best_first(target, order, cosine)
    target = target[sequence]
    rank = np.arange(len(target)) - np.searchsorted(target, target)
    kept = sequence[rank < k]
    return TopMatches(target[rank < k], order[kept], cosine[kept])


def _best_first(target: Int64, order: Int64, cosine: Float64) -> Int64:
    """Return the indices that sort by target, then by descending cosine, then by tie order."""
    by_cosine = np.argsort(-cosine)
    # There are at most _MAX_TARGETS targets. A stable sort of 16-bit integers takes linear time.
    sequence = by_cosine[np.argsort(target[by_cosine].astype(np.uint16), kind="stable")]
    is_tie = (np.diff(target[sequence]) == 0) & (np.diff(cosine[sequence]) == 0)
    return np.lexsort((order, -cosine, target)) if is_tie.any() else sequence

"""The k most similar references for each target: exact, and bit-identical on every machine.

First, float32 products select candidates among several blocks of references, with a margin for all
rounding errors. After that, the cosine of each candidate is summed in float64, in an order that
depends only on the dimension.

scikit-learn's NearestNeighbors is not used because its results depend on the block size and on the
number of threads, and it does not sort ties by content hash. faiss-cpu's IndexFlatIP has the same
limits, and takes 0.8 to 0.9 of the CPU time of this module, depending on the processor.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from more_itertools import chunked
from numpy.typing import NDArray

from mirpipe.records import Float32, Float64, Int64
from mirpipe.statistics.distinct_vectors import Block, DistinctVectors, distinct_vectors
from mirpipe.statistics.exact_cosines import MAX_PAIRS, cosines

NO_REFERENCE = -1
"""Tie order that stands for "no reference"."""

_MAX_TARGETS = 512
"""Number of targets per block. This limits memory use when every pair is a candidate."""
_MAX_BLOCKS = 8
"""Number of blocks of references from which candidates are selected before their exact cosines are
computed. More blocks need more memory, but fewer exact cosines."""
_MAX_CANDIDATES = 1 << 21
"""Number of candidates at which exact cosines are computed earlier. Equal vectors, such as those of
a broken encoder, make every pair a candidate."""


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


class _Candidates(NamedTuple):
    """Pairs of a target and a distinct vector of a block, as three small arrays of equal length."""

    target: NDArray[np.uint16]
    """Row index of the target."""
    group: NDArray[np.int32]
    """Row index of the vector."""
    product: Float32
    """The cosine, with a rounding error of at most `_margin`."""


_NO_MATCHES = TopMatches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


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

    A target has fewer than `k` matches if there are not enough references. At most eight blocks,
    the products of one of them with 512 targets, and the matches are in memory at the same time.
    """
    count = len(targets)
    own = np.full(count, NO_REFERENCE, np.int64) if own is None else own
    floor = np.full(count, -np.inf) if floor_cosine is None else floor_cosine
    last = np.full(count, np.iinfo(np.int64).max) if floor_order is None else floor_order
    parts = [
        slice(start, min(start + _MAX_TARGETS, count)) for start in range(0, count, _MAX_TARGETS)
    ]
    best = [_NO_MATCHES for _ in parts]
    for batch in chunked(blocks, _MAX_BLOCKS):
        distinct = [distinct_vectors(block) for block in batch]
        best = [
            _add_blocks(matches, distinct, k, targets[part], own[part], floor[part], last[part])
            for matches, part in zip(best, parts, strict=True)
        ]
        del batch, distinct  # Otherwise they stay in memory while the next blocks are read.
    return TopMatches(
        np.concatenate(
            [matches.target + part.start for matches, part in zip(best, parts, strict=True)]
            or [_NO_MATCHES.target]
        ),
        np.concatenate([matches.order for matches in best] or [_NO_MATCHES.order]),
        np.concatenate([matches.cosine for matches in best] or [_NO_MATCHES.cosine]),
    )


def _add_blocks(
    best: TopMatches,
    blocks: Sequence[DistinctVectors],
    k: int,
    targets: Float32,
    own: Int64,
    floor: Float64,
    last: Int64,
) -> TopMatches:
    """Return the best matches among those in `best` and the references of some blocks."""
    found: list[tuple[DistinctVectors, _Candidates]] = []
    bound = np.maximum(_lowest_cosines(best, len(targets), k), floor)
    for block in blocks:
        found.append((block, _candidates(targets, block.vectors, k, bound)))
        if block is blocks[-1] or _pairs(found) > _MAX_CANDIDATES:
            bound = np.maximum(bound, _reached_cosines(best, found, k, targets))
            lowest = _lowest_products(bound, targets.shape[1])
            for of_block, candidates in found:
                added = _matches(of_block, candidates, k, targets, own, floor, last, lowest)
                best = _merge(best, added, k)
            found = []
            bound = np.maximum(_lowest_cosines(best, len(targets), k), floor)
        elif not np.isfinite(bound).all():
            bound = np.maximum(bound, _reached_cosines(best, found, k, targets))
    return best


def _matches(
    block: DistinctVectors,
    candidates: _Candidates,
    k: int,
    targets: Float32,
    own: Int64,
    floor: Float64,
    last: Int64,
    lowest: Float32,
) -> TopMatches:
    """Return the references of the candidates whose products reach `lowest`, shape (n,)."""
    is_near = candidates.product >= lowest[candidates.target]
    near = candidates.target[is_near], candidates.group[is_near]
    cosine = _candidate_cosines(targets, block.vectors, *near)
    target, order, cosine = _expand_groups(block, *near, cosine, k)
    is_allowed = (order != own[target]) & (
        (cosine > floor[target]) | ((cosine == floor[target]) & (order <= last[target]))
    )
    return TopMatches(target[is_allowed], order[is_allowed], cosine[is_allowed])


def _pairs(found: Sequence[tuple[DistinctVectors, _Candidates]]) -> int:
    return sum(len(candidates.target) for _, candidates in found)


def _margin(dimension: int) -> float:
    """Return the largest difference between a cosine and its product in float32.

    In float32, the error of a sum of D products is at most D u / (1 − D u) times the product of
    the vector lengths, with u = 2^-24, in whatever order they are summed (Higham, Accuracy and
    Stability of Numerical Algorithms, 3.1).
    """
    return 1.01 * dimension * 2.0**-24 + 1e-5  # 1e-5: the lengths are not exactly 1.


def _lowest_products(bound: Float64, dimension: int) -> Float32:
    """Return the smallest float32 product that a cosine of at least `bound` can have."""
    lowest = (bound - _margin(dimension)).astype(np.float32)
    return np.nextafter(lowest, np.float32(-np.inf))


def _candidates(targets: Float32, vectors: Float32, k: int, bound: Float64) -> _Candidates:
    """Return pairs that include every pair with a cosine in the top k.

    `bound`, shape (n,), is a cosine that a match must reach.
    """
    products = vectors @ targets.T  # A tenth faster than the transposed product.
    needed = k + 1  # One of the references may be the target's own.
    # A quarter of the products gives a good bound, and takes a quarter of the time.
    some = products[: max(len(vectors) // 4, needed)]
    if len(some) >= needed and not np.isfinite(bound).all():
        reached = np.partition(some.T, len(some) - needed, axis=1)[:, len(some) - needed]
        bound = np.maximum(bound, reached.astype(np.float64) - _margin(targets.shape[1]))
    pair = np.flatnonzero(products >= _lowest_products(bound, targets.shape[1]))
    row, target = np.divmod(pair, len(targets))
    product = products.ravel()[pair]
    return _Candidates(target.astype(np.uint16), row.astype(np.int32), product)


def _reached_cosines(
    best: TopMatches,
    found: Sequence[tuple[DistinctVectors, _Candidates]],
    k: int,
    targets: Float32,
) -> Float64:
    """Return a cosine that k references of each target reach, -inf if it has not enough of them.

    The result has the shape (n,). One of the candidates may be the target's own reference.
    """
    count, dimension = targets.shape
    target = np.concatenate([best.target, *(candidates.target for _, candidates in found)])
    product = np.concatenate([candidates.product for _, candidates in found]).astype(np.float64)
    cosine = np.concatenate([best.cosine, product - _margin(dimension)])
    sequence = _by_target(target, cosine)
    numbers = np.bincount(target, minlength=count)
    starts = np.cumsum(numbers) - numbers
    reached = np.full(count, -np.inf)
    is_full = numbers > k
    reached[is_full] = cosine[sequence[starts[is_full] + k]]
    return reached


def _lowest_cosines(best: TopMatches, count: int, k: int) -> Float64:
    """Return the lowest cosine of each target that has k matches, and -inf for other targets.

    The result has the shape (count,).
    """
    ends = np.searchsorted(best.target, np.arange(count), side="right")
    is_full = np.bincount(best.target, minlength=count) == k
    lowest = np.full(count, -np.inf)
    lowest[is_full] = best.cosine[ends[is_full] - 1]
    return lowest


def _candidate_cosines(
    targets: Float32, vectors: Float32, target: NDArray[np.uint16], row: NDArray[np.int32]
) -> Float64:
    result = np.empty(len(target))
    for start in range(0, len(target), MAX_PAIRS):
        part = slice(start, start + MAX_PAIRS)
        result[part] = cosines(targets[target[part]], vectors[row[part]])
    return result


def _expand_groups(
    distinct: DistinctVectors,
    target: NDArray[np.uint16],
    group: NDArray[np.int32],
    cosine: Float64,
    k: int,
) -> tuple[Int64, Int64, Float64]:
    """Replace each group with its references: at most k + 1, as one may be the target's own."""
    size = np.minimum(np.diff(distinct.starts), k + 1)[group]
    pair = np.repeat(np.arange(len(target)), size)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
    return (
        target[pair].astype(np.int64),
        distinct.order[distinct.starts[group[pair]] + offset],
        cosine[pair],
    )


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
    sequence = _by_target(target, cosine)
    is_tie = (np.diff(target[sequence]) == 0) & (np.diff(cosine[sequence]) == 0)
    return np.lexsort((order, -cosine, target)) if is_tie.any() else sequence


def _by_target(target: Int64, cosine: Float64) -> Int64:
    """Return the indices that sort by target, then by descending cosine, without order of ties."""
    by_cosine = np.argsort(-cosine)
    # There are at most _MAX_TARGETS targets. A stable sort of 16-bit integers takes linear time.
    return by_cosine[np.argsort(target[by_cosine].astype(np.uint16), kind="stable")]

"""Exact nearest references: the same bits whatever the blocks, the threads or the machine.

A product in float32 only chooses candidates, with a margin that no rounding can cross; each
candidate's cosine is then summed in float64 in an order that depends on the dimension alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mirpipe.records import Float32, Float64, Int64

NOBODY = -1
"""Order of a reference that does not exist."""

_PAIRS = 512
"""Pairs that are rescored at once: their products stay in the processor's cache."""
_ROWS = 512
"""Targets that meet a block at once: bounds memory where every pair is a candidate."""


class Block(NamedTuple):
    """Some references: unit vectors of shape (m, D) and each one's place in the order of ties."""

    vectors: Float32
    order: Int64


@dataclass(frozen=True)
class Best:
    """The best references: rows of three arrays, by target, then cosine falling, then order."""

    target: Int64
    order: Int64
    cosine: Float64


class _Groups(NamedTuple):
    """Distinct vectors, and the orders that share each one: order[starts[g] : starts[g + 1]]."""

    vectors: Float32
    starts: Int64
    order: Int64


_NOTHING = Best(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def cosines(targets: Float32, references: Float32) -> Float64:
    """Cosine of each row of `targets` with the same row of `references`, both of shape (n, D).

    Unit vectors are taken for granted: the float64 dot product, held to [-1, 1], each summed as a
    tree of halves, so that a pair's bits depend on nothing but the pair.
    """
    result = np.empty(len(targets))
    for start in range(0, len(targets), _PAIRS):
        chunk = slice(start, start + _PAIRS)
        products = targets[chunk].astype(np.float64)
        products *= references[chunk]  # exact: two float32 make at most 48 bits
        width = products.shape[1]
        while width > 1:
            half = (width + 1) // 2
            products[:, : width - half] += products[:, half:width]
            width = half
        result[chunk] = products[:, 0]
    return np.clip(result, -1.0, 1.0) + 0.0  # no negative zero


def top_k(
    targets: Float32,
    blocks: Iterable[Block],
    k: int,
    *,
    own: Int64 | None = None,
    floor_cosine: Float64 | None = None,
    floor_order: Int64 | None = None,
) -> Best:
    """The `k` references with the highest cosine for each row of `targets`, shape (n, D).

    Ties fall to the lower order, which no two references share. `own` (n,) is the order of the
    reference that a target must not get. Nothing below the floor (n,) is admitted: a cosine lower
    than `floor_cosine`, or equal to it with an order above `floor_order`. Fewer than `k` where
    there are not more. Memory: one block, its products with all targets, and the lists.
    """
    count = len(targets)
    own = np.full(count, NOBODY, np.int64) if own is None else own
    floor = np.full(count, -np.inf) if floor_cosine is None else floor_cosine
    last = np.full(count, np.iinfo(np.int64).max) if floor_order is None else floor_order
    parts = [slice(start, min(start + _ROWS, count)) for start in range(0, count, _ROWS)]
    lists = [_NOTHING for _ in parts]
    for block in blocks:
        groups = _distinct(block)
        lists = [
            _improved(found, groups, k, targets[part], own[part], floor[part], last[part])
            for found, part in zip(lists, parts, strict=True)
        ]
    return Best(
        np.concatenate(
            [found.target + part.start for found, part in zip(lists, parts, strict=True)]
            or [_NOTHING.target]
        ),
        np.concatenate([found.order for found in lists] or [_NOTHING.order]),
        np.concatenate([found.cosine for found in lists] or [_NOTHING.cosine]),
    )


def _improved(
    best: Best,
    groups: _Groups,
    k: int,
    targets: Float32,
    own: Int64,
    floor: Float64,
    last: Int64,
) -> Best:
    bound = np.maximum(_worst(best, len(targets), k), floor)
    target, group = _candidates(targets, groups.vectors, k, bound)
    cosine = _rescored(targets, groups.vectors, target, group)
    target, order, cosine = _expanded(groups, target, group, cosine, k)
    fits = (order != own[target]) & (
        (cosine > floor[target]) | ((cosine == floor[target]) & (order <= last[target]))
    )
    return _merged(best, Best(target[fits], order[fits], cosine[fits]), k)


def _distinct(block: Block) -> _Groups:
    """One row for all equal vectors.

    Ten thousand copies of a vector would otherwise be ten thousand candidates of every target.
    """
    vectors = np.ascontiguousarray(block.vectors)
    whole = vectors.view(np.dtype((np.void, vectors.itemsize * vectors.shape[1]))).ravel()
    _, rows, group = np.unique(whole, return_index=True, return_inverse=True)
    sequence = np.lexsort((block.order, group))
    starts = np.searchsorted(group[sequence], np.arange(len(rows) + 1))
    return _Groups(vectors[rows], starts, block.order[sequence])


def _candidates(targets: Float32, vectors: Float32, k: int, bound: Float64) -> tuple[Int64, Int64]:
    """Pairs (target, row of `vectors`) that hold every pair whose cosine may reach the list.

    A sum of D products of float32, in any order, is off by at most D u / (1 - D u), u = 2^-24,
    times the lengths' product (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
    """
    margin = 1.01 * targets.shape[1] * 2.0**-24 + 1e-5  # the rest: lengths are 1 up to rounding
    products = targets @ vectors.T
    wanted = k + 1  # one may be the target's own
    if len(vectors) > wanted and not np.isfinite(bound).all():
        reached = np.partition(products, len(vectors) - wanted, axis=1)[:, len(vectors) - wanted]
        bound = np.maximum(bound, reached.astype(np.float64) - margin)
    threshold = np.nextafter((bound - margin).astype(np.float32), np.float32(-np.inf))
    target, row = np.divmod(np.flatnonzero(products >= threshold[:, None]), len(vectors))
    return target, row


def _worst(best: Best, count: int, k: int) -> Float64:
    """The lowest cosine of each full list, minus infinity for the others; shape (count,)."""
    ends = np.searchsorted(best.target, np.arange(count), side="right")
    full = np.bincount(best.target, minlength=count) == k
    worst = np.full(count, -np.inf)
    worst[full] = best.cosine[ends[full] - 1]
    return worst


def _rescored(targets: Float32, vectors: Float32, target: Int64, row: Int64) -> Float64:
    result = np.empty(len(target))
    for start in range(0, len(target), _PAIRS):
        chunk = slice(start, start + _PAIRS)
        result[chunk] = cosines(targets[target[chunk]], vectors[row[chunk]])
    return result


def _expanded(
    groups: _Groups, target: Int64, group: Int64, cosine: Float64, k: int
) -> tuple[Int64, Int64, Float64]:
    """Puts the references of a group, as many as a list can hold, in place of the group."""
    size = np.minimum(np.diff(groups.starts), k + 1)[group]  # one may be the target's own
    pair = np.repeat(np.arange(len(target)), size)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
    return target[pair], groups.order[groups.starts[group[pair]] + offset], cosine[pair]


def _merged(best: Best, more: Best, k: int) -> Best:
    target = np.concatenate((best.target, more.target))
    order = np.concatenate((best.order, more.order))
    cosine = np.concatenate((best.cosine, more.cosine))
    sequence = np.lexsort((order, -cosine, target))
    target = target[sequence]
    rank = np.arange(len(target)) - np.searchsorted(target, target)
    kept = sequence[rank < k]
    return Best(target[rank < k], order[kept], cosine[kept])

"""CSLS: cosines less what is usual where both sides lie, which lowers hubs.

Conneau et al., Word Translation Without Parallel Data (arXiv 1710.04087), 2.3: twice the cosine
less r(target) less r(reference), r the mean cosine with the k nearest references.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64, Int64

K = 10
"""References in a neighbourhood."""
FIRST = 10
"""Answers that are compared."""
_CELLS = 1 << 23
"""Products that are in memory at once."""


@dataclass(frozen=True)
class Agreement:
    """Re-ranking the nearest references against ranking all of them by CSLS."""

    top1_equal: float
    """Share of targets whose first answer is the same, 0 to 1."""
    top10_overlap: float
    """Mean share of the first ten answers that are the same, in any order, 0 to 1."""


def local_scale(vectors: Float32, references: Float32, *, own: Int64, k: int = K) -> Float64:
    """r of each row of `vectors`, shape (n, D): its mean cosine with the k nearest references.

    `own` (n,) is the row of `references` (m, D) that is the vector's own, -1 for none: it does not
    count. Over all there are where they are fewer than k; NaN where there is none.
    """
    base = references.astype(np.float64).T
    scale = np.empty(len(vectors))
    rows = max(_CELLS // max(len(references), 1), 1)
    for start in range(0, len(vectors), rows):
        part = slice(start, start + rows)
        products = vectors[part].astype(np.float64) @ base
        mine = np.flatnonzero(own[part] >= 0)
        products[mine, own[part][mine]] = -np.inf
        there = np.minimum(products.shape[1] - (own[part] >= 0), k)
        if products.shape[1] > k:
            products.partition(products.shape[1] - k, axis=1)
            products = products[:, -k:]
        products[np.isneginf(products)] = 0.0
        with np.errstate(invalid="ignore"):
            scale[part] = np.sort(products, axis=1).sum(axis=1) / there
    return scale


def csls(cosines: Float64, target_scale: Float64, reference_scale: Float64) -> Float64:
    """CSLS of each target with its references, shape (n, K), -2 to 2 and, for hubs, below.

    `cosines` and `reference_scale` have shape (n, K), `target_scale` (n,).
    """
    return 2 * cosines - target_scale[:, None] - reference_scale


def reranked(scores: Float64, places: Int64) -> Int64:
    """The columns of `scores` (n, K), best first; ties fall to the lower place, -1 comes last."""
    shown = np.where(places < 0, -np.inf, scores)
    return np.lexsort((places, -shown), axis=1)


def agreement_with_full(
    targets: Float32, references: Float32, *, own: Int64, kept: int, k: int = K
) -> Agreement:
    """How far re-ranking the `kept` nearest gives what ranking every reference gives.

    Compares all targets (n, D) with all references (m, D), and these with each other.
    """
    scale = local_scale(references, references, own=np.arange(len(references)), k=k)
    cosines = targets.astype(np.float64) @ references.astype(np.float64).T
    mine = np.flatnonzero(own >= 0)
    cosines[mine, own[mine]] = -np.inf
    full = np.argsort(-(2 * cosines - scale), axis=1, kind="stable")
    near = np.sort(np.argsort(-cosines, axis=1, kind="stable")[:, :kept], axis=1)
    scores = 2 * np.take_along_axis(cosines, near, axis=1) - scale[near]
    again = np.take_along_axis(near, np.argsort(-scores, axis=1, kind="stable"), axis=1)
    answers = cosines.shape[1] - (own >= 0)
    there = np.arange(FIRST) < answers[:, None]
    return compared(
        *(np.where(there[:, : len(scale)], one[:, :FIRST], -1) for one in (full, again))
    )


def compared(first: Int64, second: Int64) -> Agreement:
    """How far two rankings of each target agree: places (n, K), best first, -1 behind the last."""
    shared = []
    for one, other in zip(first[:, :FIRST], second[:, :FIRST], strict=True):
        shared.append(len(np.intersect1d(one[one >= 0], other)) / max((one >= 0).sum(), 1))
    return Agreement(float((first[:, 0] == second[:, 0]).mean()), float(np.mean(shared)))

"""CSLS: cross-domain similarity local scaling, a similarity that reduces hubs.

CSLS = 2 · cosine − r(target) − r(reference). r is the mean cosine between a vector and its k
nearest references, so CSLS reduces the similarity most for references that are close to everything.
Source: Conneau et al., Word Translation Without Parallel Data (arXiv 1710.04087), section 2.3.

No library is used because neither scipy nor scikit-learn implements CSLS.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64, Int64

K = 10
"""Number of nearest references whose mean cosine is r."""
COMPARED_MATCHES = 10
"""Number of matches per target that are compared between two rankings."""
_MAX_PRODUCTS = 1 << 23
"""Number of cosines that are in memory at the same time."""


@dataclass(frozen=True)
class Agreement:
    """How well two rankings of the same targets agree."""

    top1_equal: float
    """Share of targets with the same best match in both rankings, 0 … 1."""
    top10_overlap: float
    """Mean share of the first ten matches that both rankings have in common, 0 … 1."""


def mean_neighbour_cosines(
    vectors: Float32, references: Float32, *, own: Int64, k: int = K
) -> Float64:
    """Return r of each vector, shape (n,), float64: its mean cosine to its k nearest references.

    `vectors` has shape (n, D), `references` has shape (m, D); both contain unit vectors, float32.
    `own`, shape (n,), is the row of `references` that contains the vector itself, or -1. That row
    does not count. If there are fewer than k references, r is the mean over all of them; if there
    are none, r is NaN.
    """
    transposed = references.astype(np.float64).T
    means = np.empty(len(vectors))
    rows = max(_MAX_PRODUCTS // max(len(references), 1), 1)
    for start in range(0, len(vectors), rows):
        part = slice(start, start + rows)
        products = vectors[part].astype(np.float64) @ transposed
        has_own = np.flatnonzero(own[part] >= 0)
        products[has_own, own[part][has_own]] = -np.inf
        neighbours = np.minimum(products.shape[1] - (own[part] >= 0), k)
        if products.shape[1] > k:
            products.partition(products.shape[1] - k, axis=1)
            products = products[:, -k:]
        products[np.isneginf(products)] = 0.0
        with np.errstate(invalid="ignore"):
            means[part] = np.sort(products, axis=1).sum(axis=1) / neighbours
    return means


def csls(cosines: Float64, target_r: Float64, reference_r: Float64) -> Float64:
    """Return the CSLS between each target and its references, shape (n, K), float64.

    `cosines` and `reference_r` have shape (n, K), `target_r` has shape (n,). The range is −4 … 4;
    hubs get low values.
    """
    return 2 * cosines - target_r[:, None] - reference_r


def rerank_order(scores: Float64, places: Int64) -> Int64:
    """Return the column indices of `scores`, highest score first, shape (n, K), int64.

    `places` contains the reference index of each score, shape (n, K). Ties are sorted by this
    index. Columns with the index -1 come last.
    """
    shown = np.where(places < 0, -np.inf, scores)
    return np.lexsort((places, -shown), axis=1)


def agreement_with_full(
    targets: Float32, references: Float32, *, own: Int64, kept: int, k: int = K
) -> Agreement:
    """Return how well re-ranking the `kept` nearest references agrees with ranking all by CSLS.

    `targets` has shape (n, D), `references` has shape (m, D); both contain unit vectors, float32.
    `own`, shape (n,), is the row of `references` that contains the target itself, or -1. The
    function computes n · m + m² cosines.
    """
    reference_r = mean_neighbour_cosines(
        references, references, own=np.arange(len(references)), k=k
    )
    cosines = targets.astype(np.float64) @ references.astype(np.float64).T
    has_own = np.flatnonzero(own >= 0)
    cosines[has_own, own[has_own]] = -np.inf
    full = np.argsort(-(2 * cosines - reference_r), axis=1, kind="stable")
    nearest = np.sort(np.argsort(-cosines, axis=1, kind="stable")[:, :kept], axis=1)
    scores = 2 * np.take_along_axis(cosines, nearest, axis=1) - reference_r[nearest]
    order = np.argsort(-scores, axis=1, kind="stable")
    reranked = np.take_along_axis(nearest, order, axis=1)
    match_counts = cosines.shape[1] - (own >= 0)
    exists = (np.arange(COMPARED_MATCHES) < match_counts[:, None])[:, : len(reference_r)]
    return compare_rankings(
        *(np.where(exists, ranking[:, :COMPARED_MATCHES], -1) for ranking in (full, reranked))
    )


def compare_rankings(first: Int64, second: Int64) -> Agreement:
    """Return how well two rankings of each target agree.

    Both arrays have shape (n, K) and contain reference indices, best first, padded with -1.
    """
    overlaps = []
    rows = zip(first[:, :COMPARED_MATCHES], second[:, :COMPARED_MATCHES], strict=True)
    for first_row, second_row in rows:
        matches = first_row[first_row >= 0]
        overlaps.append(len(np.intersect1d(matches, second_row)) / max(len(matches), 1))
    return Agreement(float((first[:, 0] == second[:, 0]).mean()), float(np.mean(overlaps)))

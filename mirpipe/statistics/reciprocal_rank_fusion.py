"""Reciprocal rank fusion: combines several rankings into one and uses only the ranks.

Source: Cormack, Clarke and Buettcher, Reciprocal Rank Fusion outperforms Condorcet and individual
Rank Learning Methods, SIGIR 2009.

No library is used because the fusion is a single sum, and ties must be sorted by content hash.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float64, Int64

K = 60
"""Constant from the paper. It reduces the weight of the first ranks."""


@dataclass(frozen=True)
class FusedRanking:
    """The fused rankings of n queries."""

    places: Int64
    """Indices of all items, best first, shape (n, items). Unranked items come last."""
    ranked_n: Int64
    """Number of items that are in at least one of the query's rankings, shape (n,)."""
    scores: Float64
    """Scores of the first `kept` items, shape (n, kept). An unranked item has the score 0."""


def add_ranking(scores: Float64, ranking: Int64) -> None:
    """Add 1 / (K + rank) to the score of each item in the ranking.

    `scores`, shape (items,), is changed in place. `ranking`, shape (ranked,), contains the indices
    of distinct items, best first.
    """
    scores[ranking] += 1 / (K + np.arange(1, len(ranking) + 1))


def rank_by_score(scores: Float64, *, kept: int) -> FusedRanking:
    """Return the rankings by fusion score, highest first. Ties are sorted by index.

    `scores`, shape (n, items), are sums over at most 60 rankings, so they are below 1. They are
    rounded to a grid that separates any two of the first million ranks (2^-44, or 2^-42 for a
    million items). This gives equal sums equal scores, whatever their order of addition. Each score
    and its index are packed into one integer, as in `full_ranking`.
    """
    count = scores.shape[1]
    place_bits = max(count - 1, 1).bit_length()
    scale = 2.0 ** min(62 - place_bits, 44)
    keys = np.empty(scores.shape, np.int64)
    for row, row_keys in zip(scores, keys, strict=True):
        np.rint(row * -scale, out=row_keys, casting="unsafe")
    keys <<= place_bits
    keys |= np.arange(count)
    keys.sort(axis=1)
    first_scores = (keys[:, :kept] >> place_bits) / -scale
    keys &= (1 << place_bits) - 1
    return FusedRanking(keys, np.count_nonzero(scores, axis=1), first_scores + 0.0)

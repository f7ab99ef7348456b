"""RBO, rank-biased overlap: how well two rankings agree, with more weight on the first ranks.

Source: Webber, Moffat and Zobel, A Similarity Measure for Indefinite Rankings, ACM TOIS 28 (2010),
equation 30.

No library is used because scipy has no RBO, and its rank correlations require that both lists
contain the same items.
"""

import numpy as np

from mirpipe.records import Float64, Int64

PERSISTENCE = 0.9
"""The RBO parameter p. With 0.9, the first ten ranks have about 86% of the weight."""


def rank_biased_overlap(first: Int64, second: Int64, *, p: float = PERSISTENCE) -> Float64:
    """Return the RBO of each pair of rows, shape (n,), from 0 (disjoint) to 1 (equal).

    Both arrays have shape (n, K). A row contains item numbers, best first, padded with -1. RBO is
    extrapolated from the depth of the shorter row: the share of common items is assumed to stay the
    same at greater depths. RBO is NaN if a row is empty.
    """
    depth = np.minimum((first >= 0).sum(axis=1), (second >= 0).sum(axis=1))
    overlaps = _overlaps(first, second)
    ranks = np.arange(1, overlaps.shape[1] + 1)
    agreement = overlaps / ranks
    weighted = np.where(ranks <= depth[:, None], agreement * p**ranks, 0.0)
    last = agreement[np.arange(len(depth)), np.maximum(depth, 1) - 1]
    rbo = last * p**depth + (1 - p) / p * weighted.sum(axis=1)
    return np.where(depth > 0, rbo, np.nan)


def _overlaps(first: Int64, second: Int64) -> Int64:
    """Return how many items the first d of both rows share, for d = 1 … K, shape (n, K)."""
    width = min(first.shape[1], second.shape[1])
    counts = np.zeros((len(first), width), np.int64)
    row, first_rank, second_rank = np.nonzero(first[:, :width, None] == second[:, None, :width])
    is_item = first[row, first_rank] >= 0
    np.add.at(counts, (row[is_item], np.maximum(first_rank, second_rank)[is_item]), 1)
    return counts.cumsum(axis=1)

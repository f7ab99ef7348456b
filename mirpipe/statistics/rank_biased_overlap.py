"""How far two rankings of the same references agree: at the first rank, and weighted downwards."""

import numpy as np

from mirpipe.records import Float64, Int64

P = 0.9
"""Persistence: the first ten ranks carry about 86 percent of the weight."""


def rbo(first: Int64, second: Int64, *, p: float = P) -> Float64:
    """Rank-biased overlap of each row of two arrays of shape (n, K), 0 (disjoint) to 1 (equal).

    Rows are things, best first, -1 behind the last. Extrapolated from the depth that both reach:
    what they share there is taken to go on. NaN where one holds nothing. Webber, Moffat & Zobel,
    A Similarity Measure for Indefinite Rankings, ACM TOIS 28 (2010), equation 30.
    """
    depth = np.minimum((first >= 0).sum(axis=1), (second >= 0).sum(axis=1))
    overlaps = _overlaps(first, second)
    ranks = np.arange(1, overlaps.shape[1] + 1)
    agreement = overlaps / ranks
    weighted = np.where(ranks <= depth[:, None], agreement * p**ranks, 0.0)
    last = agreement[np.arange(len(depth)), np.maximum(depth, 1) - 1]
    found = last * p**depth + (1 - p) / p * weighted.sum(axis=1)
    return np.where(depth > 0, found, np.nan)


def _overlaps(first: Int64, second: Int64) -> Int64:
    """How many things are among the first d of both, for d = 1 … K; shape (n, K)."""
    width = min(first.shape[1], second.shape[1])
    found = np.zeros((len(first), width), np.int64)
    row, one, other = np.nonzero(first[:, :width, None] == second[:, None, :width])
    real = first[row, one] >= 0
    np.add.at(found, (row[real], np.maximum(one, other)[real]), 1)
    return found.cumsum(axis=1)

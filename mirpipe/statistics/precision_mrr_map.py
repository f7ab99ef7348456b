"""Precision at k, reciprocal rank and average precision: their means are P@k, MRR and mAP.

The definitions follow Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008),
section 8.4. Leave queries without a relevant reference out of the mean, because they do not count.

ir_measures is not used because it needs one Python object per reference and therefore takes 500
times as long for 200 rankings of 5,000 references.
"""

import numpy as np

from mirpipe.records import Float64
from mirpipe.statistics.label_relevance import Relevance


def precision_at_k(relevance: Relevance, k: int) -> Float64:
    """Return P@k: the share of relevant references among the first k ≤ K, shape (n,), 0 … 1.

    The divisor is always k, even if there are fewer than k references or relevant references.
    """
    share: Float64 = relevance.head[:, :k].sum(axis=1) / k
    return share


def reciprocal_rank(relevance: Relevance) -> Float64:
    """Return 1 / rank of the first relevant reference, shape (n,). It is 0 if there is none."""
    head = relevance.head
    first = np.where(head.any(axis=1), head.argmax(axis=1) + 1, relevance.first_below)
    return 1 / first


def average_precision(relevance: Relevance) -> Float64:
    """Return the mean precision at the ranks of all relevant references, shape (n,), 0 … 1.

    The full ranking is used. The result is NaN if no reference is relevant.
    """
    ranks = np.arange(1, relevance.head.shape[1] + 1)
    above = (relevance.head * relevance.head.cumsum(axis=1) / ranks).sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: Float64 = (above + relevance.below) / relevance.total
    return mean

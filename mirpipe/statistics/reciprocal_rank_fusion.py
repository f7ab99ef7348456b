"""Reciprocal rank fusion: one ranking out of several, by their ranks alone.

Cormack, Clarke & Buettcher, Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods, SIGIR 2009.
"""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import Float64, Int64

K = 60
"""What softens the first ranks, as in the paper."""


def fused(rankings: Sequence[Int64], *, k: int = K) -> tuple[Int64, Float64]:
    """Everything in `rankings`, best first, and its score: the sum of 1 / (k + rank).

    Each ranking holds places, best first, -1 behind the last; ties fall to the lower place.
    """
    lists = [ranking[ranking >= 0] for ranking in rankings]
    there = np.concatenate(lists) if lists else np.empty(0, np.int64)
    places, at = np.unique(there, return_inverse=True)
    worth = [1 / (k + np.arange(1, len(ranking) + 1)) for ranking in lists]
    scores = np.bincount(at, np.concatenate(worth) if worth else None, minlength=len(places))
    best = np.lexsort((places, -scores))
    return places[best], scores[best].astype(np.float64)

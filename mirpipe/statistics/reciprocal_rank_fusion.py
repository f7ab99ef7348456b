"""Reciprocal rank fusion: combines several rankings into one and uses only the ranks.

Source: Cormack, Clarke and Buettcher, Reciprocal Rank Fusion outperforms Condorcet and individual
Rank Learning Methods, SIGIR 2009.

No library is used because the fusion is a single sum, and ties must be sorted by content hash.
"""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import Float64, Int64

K = 60
"""Constant from the paper. It reduces the weight of the first ranks."""


def fuse_rankings(rankings: Sequence[Int64], *, k: int = K) -> tuple[Int64, Float64]:
    """Return all items of the rankings, best first, and their scores.

    The score of an item is the sum of 1 / (k + rank) over the rankings that contain it. Each
    ranking has shape (n,) and contains item numbers, best first, padded with -1; n may differ
    between rankings. If scores are equal, the lower item number comes first. Both results have
    shape (items,).
    """
    rows = [ranking[ranking >= 0] for ranking in rankings]
    all_items = np.concatenate(rows) if rows else np.empty(0, np.int64)
    items, index = np.unique(all_items, return_inverse=True)
    weights = [1 / (k + np.arange(1, len(row) + 1)) for row in rows]
    scores = np.bincount(index, np.concatenate(weights) if weights else None, minlength=len(items))
    best = np.lexsort((items, -scores))
    return items[best], scores[best].astype(np.float64)

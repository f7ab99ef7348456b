"""A fixed sample of pairs of references, whose cosines define the percentile of a match.

Why not numpy's random choice: the sample must stay nearly the same when one reference is added.
"""

import numpy as np

from mirpipe.records import Int64


def sample_pairs(count: int, limit: int) -> tuple[Int64, Int64]:
    """Return at most `limit` different pairs of `count` items: the indices of both items.

    Both arrays have one entry per pair, int64. If there are at most `limit` pairs, all are
    returned. Otherwise each item is paired with the items that follow it on a ring. If the items
    are sorted by content hash, all items occur equally often, and a new item changes only pairs of
    its neighbours in this order.
    """
    if count * (count - 1) // 2 <= limit:
        first, second = np.triu_indices(count, 1)
        return first.astype(np.int64), second.astype(np.int64)
    steps = max(limit // count, 1)
    first = np.repeat(np.arange(min(count, limit)), steps)
    step = np.tile(np.arange(1, steps + 1), min(count, limit))
    return first, (first + step) % count

"""A fixed sample of reference pairs, whose cosines are used for the percentile of a match.

numpy's random choice is not used because the sample must stay almost the same when one reference is
added.
"""

import numpy as np

from mirpipe.records import Int64


def sample_pairs(count: int, limit: int) -> tuple[Int64, Int64]:
    """Return at most `limit` different pairs of `count` items, as the indices of both items.

    Both arrays have one entry per pair, int64. If there are at most `limit` pairs, all of them are
    returned. Otherwise the items are arranged in a ring, and each item is paired with the items
    that follow it, so all items occur equally often. If the items are sorted by content hash, a new
    item changes only the pairs of its neighbours.
    """
    if count * (count - 1) // 2 <= limit:
        first, second = np.triu_indices(count, 1)
        return first.astype(np.int64), second.astype(np.int64)
    steps = max(limit // count, 1)
    first = np.repeat(np.arange(min(count, limit)), steps)
    step = np.tile(np.arange(1, steps + 1), min(count, limit))
    return first, (first + step) % count

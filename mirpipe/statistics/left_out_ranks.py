"""Leaves references out of rankings, so that the references below them move up.

Few references are left out of a ranking, so only their ranks are stored. All ranks are counted
from 0.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mirpipe.records import Int64

LeftOutRanks = Mapping[int, Int64]
"""Ascending ranks that are left out, by row of the ranking. Most rows have no entry."""


def left_out_ranks(
    places: Int64, ranked_n: Int64, left_out: Sequence[Int64 | None]
) -> dict[int, Int64]:
    """Return the ranks of the references that are left out of each ranking.

    `places`, shape (n, count), contains the reference indices of full rankings, best first. Only
    the first `ranked_n` of each row count, shape (n,). `left_out` contains, for each row, the
    indices of the references that are left out, or None.
    """
    ranks = {}
    for row, references in enumerate(left_out):
        if references is not None:
            is_left_out = np.zeros(places.shape[1], bool)
            is_left_out[references] = True
            found = np.flatnonzero(is_left_out[places[row, : ranked_n[row]]])
            if len(found):
                ranks[row] = found
    return ranks


def moved_up(ranks: Int64, left_out: Int64) -> Int64:
    """Return the new ranks after some ranks are left out. Both are ascending.

    Ranks that are left out themselves are not in the result.
    """
    above = np.searchsorted(left_out, ranks)
    is_left_out = np.searchsorted(left_out, ranks, side="right") > above
    moved: Int64 = (ranks - above)[~is_left_out]
    return moved


def reorder_without(order: Int64, left_out: LeftOutRanks) -> Int64:
    """Return how the rankings are reordered after some ranks are left out, shape (n, K).

    `order`, shape (n, K), contains the old ranks of the first K references in the new order,
    before anything is left out. The ranks in the result are those after the left-out references
    are gone. References that have moved up into the first K ranks keep their order, at the end.
    """
    counted = order.copy()
    depth = order.shape[1]
    for row, ranks in left_out.items():
        remaining = order[row][~np.isin(order[row], ranks)]
        counted[row, : len(remaining)] = remaining - np.searchsorted(ranks, remaining)
        counted[row, len(remaining) :] = np.arange(len(remaining), depth)
    return counted

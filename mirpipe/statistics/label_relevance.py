"""Relevance by label: which references of a ranking have the same label as the query.

`precision_mrr_map` computes P@k, MRR and mAP from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float64, Int64

Bool = NDArray[np.bool_]

UNLABELLED = -1
"""Code of a track without the label. Such a track is not relevant to any query."""


@dataclass(frozen=True)
class Relevance:
    """The relevant references in the rankings of n queries.

    Only the first K places are stored. The places below are summarised, because a ranking contains
    the whole library.
    """

    head: Bool
    """Whether the reference at each of the first K ranks is relevant, shape (n, K)."""
    below: Float64
    """Sum of the precision at each relevant rank below K, shape (n,)."""
    first_below: Float64
    """First relevant rank below K, shape (n,). Infinite if there is none."""
    total: Int64
    """Number of relevant references, shape (n,)."""

    def reordered(self, order: Int64) -> "Relevance":
        """Return the relevance after the first K places are reordered.

        `order`, shape (n, K), contains the old places in the new order. The numbers for the places
        below stay correct, because they depend only on how many relevant references are above.
        """
        return replace(self, head=np.take_along_axis(self.head, order, axis=1))

    @property
    def has_relevant(self) -> Bool:
        """Whether the query has any relevant reference, shape (n,). Other queries do not count."""
        return self.total > 0


def label_codes(values: Sequence[str | None]) -> Int64:
    """Return an integer per value, shape (len(values),). Equal values have equal integers.

    None becomes UNLABELLED.
    """
    codes: dict[str, int] = {}
    return np.array(
        [UNLABELLED if value is None else codes.setdefault(value, len(codes)) for value in values],
        np.int64,
    )


def find_relevant(
    places: Int64, own: Bool, reference_codes: Int64, query_codes: Int64, *, kept: int
) -> Relevance:
    """Return which references are relevant, with the first `kept` places in full.

    `places`, shape (n, count), contains full rankings, best first. If `own`, shape (n,), is true,
    the last place is the query's own reference and does not count. `reference_codes`, shape
    (count,), and `query_codes`, shape (n,), are label codes. A reference is relevant if its code is
    the query's code and not UNLABELLED.
    """
    n, count = places.shape
    depth = min(kept, count)
    head, total = np.zeros((n, depth), bool), np.zeros(n, np.int64)
    below, first_below = np.zeros(n), np.full(n, np.inf)
    for row in np.flatnonzero(query_codes != UNLABELLED):
        hits = np.flatnonzero(reference_codes[places[row]] == query_codes[row])
        if own[row] and len(hits) and hits[-1] == count - 1:
            hits = hits[:-1]
        total[row] = len(hits)
        above = np.searchsorted(hits, depth)
        head[row, hits[:above]] = True
        if above < len(hits):
            first_below[row] = hits[above] + 1
            below[row] = (np.arange(above + 1, len(hits) + 1) / (hits[above:] + 1)).sum()
    return Relevance(head, below, first_below, total)


def concatenate(parts: Sequence[Relevance]) -> Relevance:
    """Return the relevance of the queries of all parts, in order."""
    return Relevance(
        np.concatenate([part.head for part in parts]),
        np.concatenate([part.below for part in parts]),
        np.concatenate([part.first_below for part in parts]),
        np.concatenate([part.total for part in parts]),
    )

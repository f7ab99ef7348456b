"""Relevance by label: which references of a ranking have the same label as the query.

`precision_mrr_map` computes P@k, MRR and mAP from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mirpipe.records import Bool, Float64, Int64

UNLABELLED = -1
"""Code of a track without the label. Such a track is not relevant to any query."""


@dataclass(frozen=True)
class Relevance:
    """The relevant references in the rankings of n queries.

    Only the first K ranks are stored one by one. The lower ranks are summarised, because a ranking
    contains the whole library.
    """

    head: Bool
    """Whether the reference at each of the first K ranks is relevant, shape (n, K)."""
    below: Float64
    """Sum of the precisions at all relevant ranks below K, shape (n,)."""
    first_below: Float64
    """First relevant rank below K, shape (n,). Infinite if there is no such rank."""
    total: Int64
    """Number of relevant references, shape (n,)."""

    def reordered(self, order: Int64) -> "Relevance":
        """Return the relevance after the first K ranks have been reordered.

        `order`, shape (n, K), contains the indices of the old ranks in the new order. The values
        for the lower ranks stay correct, because they depend only on how many of the first K
        references are relevant.
        """
        return replace(self, head=np.take_along_axis(self.head, order, axis=1))

    @property
    def has_relevant(self) -> Bool:
        """Whether each query has a relevant reference, shape (n,). Other queries do not count."""
        return self.total > 0


def label_codes(values: Sequence[str | None]) -> Int64:
    """Return one integer per value, shape (len(values),). Equal values have equal integers.

    None becomes UNLABELLED.
    """
    codes: dict[str, int] = {}
    return np.array(
        [UNLABELLED if value is None else codes.setdefault(value, len(codes)) for value in values],
        np.int64,
    )


def find_relevant(
    places: Int64, ranked_n: Int64, reference_codes: Int64, query_codes: Int64, *, kept: int
) -> Relevance:
    """Return which references are relevant: one by one for the first `kept` ranks.

    `places`, shape (n, count), contains the reference indices of full rankings, best first. Only
    the first `ranked_n` of each query count, shape (n,). The others are not matches, such as the
    reference with the query's own content.
    `reference_codes`, shape (count,), and `query_codes`, shape (n,), are label codes. A reference
    is relevant if it has the same code as the query and this code is not UNLABELLED.
    """
    n, count = places.shape
    depth = min(kept, count)
    head, total = np.zeros((n, depth), bool), np.zeros(n, np.int64)
    below, first_below = np.zeros(n), np.full(n, np.inf)
    for row in np.flatnonzero(query_codes != UNLABELLED):
        ranked = places[row, : ranked_n[row]]
        hits = np.flatnonzero(reference_codes[ranked] == query_codes[row])
        total[row] = len(hits)
        above = np.searchsorted(hits, depth)
        head[row, hits[:above]] = True
        if above < len(hits):
            first_below[row] = hits[above] + 1
            below[row] = (np.arange(above + 1, len(hits) + 1) / (hits[above:] + 1)).sum()
    return Relevance(head, below, first_below, total)


def concatenate(parts: Sequence[Relevance]) -> Relevance:
    """Return one relevance with the queries of all parts, in order."""
    return Relevance(
        np.concatenate([part.head for part in parts]),
        np.concatenate([part.below for part in parts]),
        np.concatenate([part.first_below for part in parts]),
        np.concatenate([part.total for part in parts]),
    )

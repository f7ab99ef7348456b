"""How well rankings put first what shares a label: P@k, reciprocal rank, average precision.

Definitions as in Manning, Raghavan & Schütze, Introduction to Information Retrieval (2008), 8.4.
A query is measured where some reference shares its label; others are left out and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float64, Int64

Bool = NDArray[np.bool_]

UNLABELLED = -1
"""Code of a track that does not carry the label; it is relevant to nothing."""


def codes_of(values: Sequence[str | None]) -> Int64:
    """A number for each value, the same for equal ones; UNLABELLED for None."""
    seen: dict[str, int] = {}
    return np.array(
        [UNLABELLED if value is None else seen.setdefault(value, len(seen)) for value in values],
        np.int64,
    )


@dataclass(frozen=True)
class Relevance:
    """Of n queries: which of the first K references are relevant, and a digest of those below."""

    head: Bool
    """Shape (n, K), by rank."""
    below: Float64
    """Shape (n,): the sum of the precision at each relevant rank below K."""
    first_below: Float64
    """Shape (n,): the first relevant rank below K, infinite where there is none."""
    total: Int64
    """Shape (n,): how many references are relevant."""

    def reordered(self, order: Int64) -> "Relevance":
        """With the first K references in another order, shape (n, K): places in the old one.

        What is below is the same: as many relevant references stand above it.
        """
        return replace(self, head=np.take_along_axis(self.head, order, axis=1))

    @property
    def measured(self) -> Bool:
        """Queries that have any relevant reference, shape (n,)."""
        return self.total > 0


def relevance(
    places: Int64, own: Bool, reference_codes: Int64, query_codes: Int64, *, kept: int
) -> Relevance:
    """Reads full rankings, shape (n, count), best first, by the codes of a label.

    The last place of a query whose `own` is true is not an answer. `reference_codes` (count,) and
    `query_codes` (n,) are equal where the label is; UNLABELLED is equal to nothing.
    """
    n, count = places.shape
    depth = min(kept, count)
    head, total = np.zeros((n, depth), bool), np.zeros(n, np.int64)
    below, first = np.zeros(n), np.full(n, np.inf)
    for row in np.flatnonzero(query_codes != UNLABELLED):
        hits = np.flatnonzero(reference_codes[places[row]] == query_codes[row])
        if own[row] and len(hits) and hits[-1] == count - 1:
            hits = hits[:-1]
        total[row] = len(hits)
        above = np.searchsorted(hits, depth)
        head[row, hits[:above]] = True
        if above < len(hits):
            first[row] = hits[above] + 1
            below[row] = (np.arange(above + 1, len(hits) + 1) / (hits[above:] + 1)).sum()
    return Relevance(head, below, first, total)


def precision_at(found: Relevance, k: int) -> Float64:
    """Share of relevant references among the first k <= K, shape (n,), 0 to 1.

    The divisor is k, also where fewer references are there or relevant.
    """
    share: Float64 = found.head[:, :k].sum(axis=1) / k
    return share


def reciprocal_rank(found: Relevance) -> Float64:
    """One over the rank of the first relevant reference, shape (n,); 0 where none is relevant."""
    first = np.where(found.head.any(axis=1), found.head.argmax(axis=1) + 1, found.first_below)
    return 1 / first


def average_precision(found: Relevance) -> Float64:
    """Mean of the precision at each relevant rank of the full ranking, shape (n,); NaN for none."""
    ranks = np.arange(1, found.head.shape[1] + 1)
    above = (found.head * found.head.cumsum(axis=1) / ranks).sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: Float64 = (above + found.below) / found.total
    return mean


def joined(parts: list[Relevance]) -> Relevance:
    """The queries of all parts, one after the other."""
    return Relevance(
        np.concatenate([part.head for part in parts]),
        np.concatenate([part.below for part in parts]),
        np.concatenate([part.first_below for part in parts]),
        np.concatenate([part.total for part in parts]),
    )

"""Hubness: whether a few references are in everybody's answers and many in nobody's.

Radovanović, Nanopoulos & Ivanović, Hubs in Space, JMLR 11 (2010): the skewness of the
k-occurrence N_k, how often each reference is among the first k answers of all queries.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Int64


@dataclass(frozen=True)
class Hubness:
    """Of one N_k."""

    skewness: float | None
    """Third standardised moment (population); None where every reference is answered as often."""
    largest: int
    largest_place: int
    """The reference with the largest N_k, the first of several."""
    never_share: float
    """Share of references that are nobody's answer, 0 to 1."""


def occurrences(answers: Int64, k: int, count: int) -> Int64:
    """N_k of each of `count` references; `answers` (n, K) are places, best first, -1 for none."""
    first = answers[:, :k]
    return np.bincount(first[first >= 0], minlength=count).astype(np.int64)


def hubness(counts: Int64) -> Hubness:
    """The hubness of N_k, shape (count,), of at least one reference."""
    deviation = counts - counts.mean()
    sd = np.sqrt((deviation**2).mean())
    place = int(counts.argmax())
    return Hubness(
        float((deviation**3).mean() / sd**3) if sd > 0 else None,
        int(counts[place]),
        place,
        float((counts == 0).mean()),
    )

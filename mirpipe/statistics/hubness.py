"""Hubness: whether a few references are matches of many queries, and many references of none.

Its measure is the skewness of the k-occurrence N_k: how often each reference is among the first k
matches of all queries. Source: Radovanović, Nanopoulos and Ivanović, Hubs in Space, JMLR 11 (2010).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import skew

from mirpipe.records import Int64


@dataclass(frozen=True)
class Hubness:
    """The hubness of one set of queries, for one k."""

    skewness: float | None
    """Population skewness of N_k. None if N_k is the same for all references."""
    largest: int
    """Largest N_k."""
    largest_place: int
    """Place of the reference with the largest N_k. If several have it, the first one."""
    never_share: float
    """Share of references that are a match of no query, 0 … 1."""


def k_occurrences(matches: Int64, k: int, count: int) -> Int64:
    """Return N_k of each of `count` references, shape (count,), int64.

    `matches` contains the places of the matches of each query, best first, shape (queries, K),
    filled up with -1.
    """
    first = matches[:, :k]
    return np.bincount(first[first >= 0], minlength=count).astype(np.int64)


def hubness(counts: Int64) -> Hubness:
    """Return the hubness of N_k, shape (count,), int64. There must be at least one reference."""
    place = int(counts.argmax())
    return Hubness(
        float(skew(counts)) if np.ptp(counts) > 0 else None,
        int(counts[place]),
        place,
        float((counts == 0).mean()),
    )

"""Hubness: whether a few references match many queries, while many references match none.

Hubness is measured as the skewness of the k-occurrence N_k: the number of queries that have a
reference among their first k matches. Source: Radovanović, Nanopoulos and Ivanović, Hubs in Space,
JMLR 11 (2010).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import skew

from mirpipe.records import Int64


@dataclass(frozen=True)
class Hubness:
    """The hubness for one set of queries and one k."""

    skewness: float | None
    """Population skewness of N_k. None if N_k is the same for all references."""
    largest: int
    """Largest N_k."""
    largest_place: int
    """Index of the reference with the largest N_k: the first one if several have the same N_k."""
    never_share: float
    """Share of references that are not among the first k matches of any query, 0 … 1."""


def k_occurrences(matches: Int64, k: int, count: int) -> Int64:
    """Return N_k for each of `count` references, shape (count,), int64.

    `matches`, shape (queries, K), contains the reference indices of each query's matches, best
    first, padded with -1.
    """
    first = matches[:, :k]
    return np.bincount(first[first >= 0], minlength=count).astype(np.int64)


def hubness(counts: Int64) -> Hubness:
    """Return the hubness of one or more references with N_k `counts`, shape (count,), int64."""
    place = int(counts.argmax())
    return Hubness(
        float(skew(counts)) if np.ptp(counts) > 0 else None,
        int(counts[place]),
        place,
        float((counts == 0).mean()),
    )

"""Finds which matches of a ranking share a label value with their query."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Int64
from mirpipe.statistics.label_relevance import Relevance, label_sets


@dataclass(frozen=True)
class LabelledRanking:
    """The relevance of a query set's rankings, by label."""

    queries: str
    """Name of the query set: `targets` or `references`."""
    rerank: str
    """Order of the rankings: `cosine`, `csls` or `fusion`."""
    relevance: Mapping[str, Relevance]
    """Relevance by label."""


def relevance_of_first_matches(
    places: Int64,
    own: Int64,
    reference_labels: Mapping[str, Sequence[Collection[str]]],
    target_labels: Mapping[str, Sequence[Collection[str]]],
) -> dict[str, Relevance]:
    """Return the relevance of the first matches, by label.

    Labels that no reference has are left out. `places`, shape (n, K), contains the indices of the
    matches, best first, padded with -1. `own`, shape (n,), is the index of the reference with the
    same content as the target, or -1. That reference does not count. Matches after rank K are not
    known, so MRR and mAP cannot be computed from the result.
    """
    relevance = {}
    for label, values in reference_labels.items():
        sets = label_sets([*values, *target_labels[label]])
        references, targets = sets[: len(values)], sets[len(values) :]
        if not references.any_labelled:
            continue
        head, total = np.zeros(places.shape, bool), np.zeros(len(places), np.int64)
        for row, code in enumerate(targets.codes.tolist()):
            is_relevant = references.sharing(code)[references.codes]
            head[row] = is_relevant[places[row]] & (places[row] >= 0)
            is_own_relevant = own[row] >= 0 and is_relevant[own[row]]
            total[row] = np.count_nonzero(is_relevant) - is_own_relevant
        zeros = np.zeros(len(places))
        relevance[label] = Relevance(head, zeros, zeros + np.inf, total)
    return relevance

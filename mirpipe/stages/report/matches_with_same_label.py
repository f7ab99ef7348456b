"""Finds which matches of a ranking have the same label as their query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Int64
from mirpipe.statistics.label_relevance import UNLABELLED, Relevance, label_codes


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
    reference_labels: Mapping[str, Sequence[str | None]],
    target_labels: Mapping[str, Sequence[str | None]],
) -> dict[str, Relevance]:
    """Return the relevance of the first matches, by label.

    Labels that no reference has are left out. `places`, shape (n, K), contains the indices of the
    matches, best first, padded with -1. `own`, shape (n,), is the index of the reference with the
    same content as the target, or -1. That reference does not count. Matches after rank K are not
    known, so MRR and mAP cannot be computed from the result.
    """
    relevance = {}
    for label, values in reference_labels.items():
        codes = label_codes([*values, *target_labels[label]])
        reference_codes, target_codes = codes[: len(values)], codes[len(values) :]
        if (reference_codes == UNLABELLED).all():
            continue
        is_relevant = (reference_codes[places] == target_codes[:, None]) & (places >= 0)
        is_own_relevant = (own >= 0) & (reference_codes[own] == target_codes)
        total = (reference_codes == target_codes[:, None]).sum(axis=1) - is_own_relevant
        is_labelled = target_codes != UNLABELLED
        zeros = np.zeros(len(target_codes))
        relevance[label] = Relevance(
            is_relevant & is_labelled[:, None],
            zeros,
            zeros + np.inf,
            np.where(is_labelled, total, 0),
        )
    return relevance

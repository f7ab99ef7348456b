"""P@k of two revisions: the share of the first k matches that share a label with the target."""

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store.shared_answers import MetricValues, SharedAnswers
from mirpipe.db.store.shared_matches import NO_MATCH
from mirpipe.db.store.track_labels import (
    read_hashes_and_labels,
    read_values_of_shared_references,
)
from mirpipe.records import Float64, Int64
from mirpipe.statistics.label_relevance import find_relevant, label_sets
from mirpipe.statistics.precision_mrr_map import precision_at_k


def label_precisions(
    connection: Connection, answers: SharedAnswers, old: int, new: int
) -> list[MetricValues]:
    """Return P@k by each label that shared targets and references have, as `genre_p_at_10`.

    k is the length of the lists in `answers`. `old` and `new` are the ids of the encoder revisions.
    The value is NaN for a target that shares no label value with any shared reference, as in the
    rankings of a report.
    """
    k = answers.old_lists.shape[1]
    ids = np.unique(np.concatenate([answers.old_lists, answers.new_lists]))
    ids = ids[ids != NO_MATCH]
    targets = read_hashes_and_labels(connection, answers.target_ids).labels
    references = read_hashes_and_labels(connection, ids).labels
    precisions = []
    for label, values in read_values_of_shared_references(connection, old, new).items():
        is_counted = np.array([not values.isdisjoint(each) for each in targets[label]], bool)
        if is_counted.any():
            old_column, new_column = (
                _precision(lists, ids, targets[label], references[label])
                for lists in (answers.old_lists, answers.new_lists)
            )
            precisions.append(
                MetricValues(
                    metric=f"{label}_p_at_{k}",
                    encoder=None,
                    random=False,
                    range=(0.0, 1.0),
                    old=np.where(is_counted, old_column, np.nan),
                    new=np.where(is_counted, new_column, np.nan),
                    unmeasured_n=0,
                )
            )
    return precisions


def _precision(
    lists: Int64,
    ids: Int64,
    targets: list[list[str]],
    references: list[list[str]],
) -> Float64:
    """Return the precision of each list. `ids` are the sorted ids of the labelled references."""
    n, k = lists.shape
    sets = label_sets([*targets, *references])
    ranked_n = (lists != NO_MATCH).sum(axis=1)  # The places after them have no meaning.
    places = np.searchsorted(ids, lists)
    [relevance] = find_relevant(places, ranked_n, sets[n:], sets[:n], kept=k)
    return precision_at_k(relevance, k)

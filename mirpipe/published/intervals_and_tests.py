"""Confidence intervals and paired tests for the published numbers.

The same functions compute the intervals and tests of our own results.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from typing import cast

import numpy as np

from mirpipe.db.store.published_tables import Score
from mirpipe.music.metrics.metric_ranges import range_of_difference
from mirpipe.published.metric_ranges import published_range
from mirpipe.records import Float64
from mirpipe.statistics.comparison_family import PairedMetric, correct
from mirpipe.statistics.mean_intervals import intervals, missing_reason
from mirpipe.statistics.paired_sign_flip_test import compare

PRIMARY_METRIC = "melody_accuracy"
"""Metric that is tested first for each contrast."""

Row = dict[str, object]
_ValueByTarget = dict[str, float]


def interval_rows(scores: Sequence[Score]) -> list[Row]:
    """Return the rows of published_interval: the 95% interval of each mean over the targets."""
    groups = _group_scores(scores)
    bounds = intervals(
        [_array(values.values()) for values in groups.values()],
        ranges=[published_range(metric) for _, metric, _ in groups],
    )
    return [
        {
            "task": task,
            "subject": subject,
            "metric": metric,
            **_interval_columns(low, high, len(values)),
        }
        for ((task, metric, subject), values), (low, high) in zip(
            groups.items(), bounds, strict=True
        )
    ]


def comparison_rows(scores: Sequence[Score]) -> list[Row]:
    """Return the rows of published_comparison: all pairs of encoders and of modes, per metric.

    A difference is the later subject minus the earlier one: encoders are sorted by name, and modes
    are in the printed order. Declared contrasts are each encoder with the first one, and
    neighbouring modes. Cosines of different encoders are not compared, because they are not on one
    scale.
    """
    rows: list[Row] = []
    for task in ("retrieval", "generation"):
        pairs = _pairs(task, _group_scores([score for score in scores if score.task == task]))
        comparisons = compare(
            [_array(pair.differences.values()) for pair in pairs],
            ranges=[range_of_difference(published_range(pair.metric)) for pair in pairs],
        )
        for pair, comparison, verdict in zip(
            pairs, comparisons, correct(pairs, PRIMARY_METRIC), strict=True
        ):
            subject, than_subject = cast(tuple[str, str], pair.sources)
            rows.append(
                {
                    "task": task,
                    "metric": pair.metric,
                    "subject": subject,
                    "than_subject": than_subject,
                    **_interval_columns(comparison.low, comparison.high, comparison.n),
                    "role": verdict.role,
                    "p": verdict.p,
                    "p_adjusted": verdict.p_adjusted,
                    "method": None
                    if verdict.p is None
                    else ("exact" if verdict.is_exact else "permutation"),
                    "reason": verdict.reason,
                    "family_n": verdict.family_n,
                }
            )
    return rows


def _group_scores(scores: Sequence[Score]) -> dict[tuple[str, str, str], _ValueByTarget]:
    """Return the values by target for each task, metric and subject, in the printed order."""
    groups: dict[tuple[str, str, str], _ValueByTarget] = defaultdict(dict)
    for score in scores:
        groups[score.task, score.metric, score.subject][score.target] = score.value
    return groups


def _pairs(task: str, groups: dict[tuple[str, str, str], _ValueByTarget]) -> list[PairedMetric]:
    """Return the differences of each pair of subjects, for each metric."""
    metrics = dict.fromkeys(metric for _, metric, _ in groups)
    subjects = list(dict.fromkeys(subject for _, _, subject in groups))
    if task == "retrieval":
        metrics.pop("cosine", None)
        subjects.sort()
        declared = {(subject, subjects[0]) for subject in subjects[1:]}
    else:
        declared = {(later, earlier) for earlier, later in pairwise(subjects)}
    pairs = []
    for metric in metrics:
        for than_subject, subject in combinations(subjects, 2):
            values, than_values = groups[task, metric, subject], groups[task, metric, than_subject]
            differences = {
                target: value - than_values[target]
                for target, value in values.items()
                if target in than_values
            }
            sources = (subject, than_subject)
            pairs.append(PairedMetric(sources, metric, differences, sources in declared))
    return pairs


def _interval_columns(low: float, high: float, n: int) -> Row:
    """Return the columns of an interval over `n` targets. The bounds are None if they are NaN."""
    reason = missing_reason(n, low)
    if reason:
        return {"low": None, "high": None, "interval_reason": reason}
    return {"low": float(low), "high": float(high), "interval_reason": None}


def _array(values: Iterable[float]) -> Float64:
    return np.array(list(values), np.float64)

"""Confidence intervals and paired tests for the published numbers.

The same functions compute the intervals and tests of our own results.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from mirpipe.db.store.published_tables import Score
from mirpipe.records import Float64
from mirpipe.statistics.bootstrap_intervals import intervals
from mirpipe.statistics.holm_correction import holm
from mirpipe.statistics.paired_sign_flip_test import compare

Row = dict[str, object]
_ValueByTarget = dict[str, float]


def interval_rows(scores: Sequence[Score]) -> list[Row]:
    """Return the rows of published_interval: the 95 % interval of each mean over the targets."""
    groups = _group_scores(scores)
    bounds = intervals([_array(values.values()) for values in groups.values()])
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
    are in the printed order. All p values of a task are corrected together. Cosines of different
    encoders are not compared, because they are not on one scale.
    """
    rows: list[Row] = []
    for task in ("retrieval", "generation"):
        pairs = _pairs(task, _group_scores([score for score in scores if score.task == task]))
        comparisons = compare([differences for _, differences in pairs])
        corrected = holm(_array(comparison.p for comparison in comparisons))
        tested_count = sum(not math.isnan(comparison.p) for comparison in comparisons)
        for (names, _), comparison, p_holm in zip(pairs, comparisons, corrected, strict=True):
            n = comparison.n
            has_p = not math.isnan(comparison.p)
            rows.append(
                {
                    "task": task,
                    **names,
                    **_interval_columns(comparison.low, comparison.high, n),
                    "p": comparison.p if has_p else None,
                    "p_holm": float(p_holm) if has_p else None,
                    "method": ("exact" if comparison.is_exact else "permutation") if n else None,
                    "reason": None if n else "no_target",
                    "family_n": tested_count,
                }
            )
    return rows


def _group_scores(scores: Sequence[Score]) -> dict[tuple[str, str, str], _ValueByTarget]:
    """Return the values by target for each task, metric and subject, in the printed order."""
    groups: dict[tuple[str, str, str], _ValueByTarget] = defaultdict(dict)
    for score in scores:
        groups[score.task, score.metric, score.subject][score.target] = score.value
    return groups


def _pairs(
    task: str, groups: dict[tuple[str, str, str], _ValueByTarget]
) -> list[tuple[dict[str, str], Float64]]:
    """Return each comparison's metric and subjects, with its difference for each common target."""
    metrics = dict.fromkeys(metric for _, metric, _ in groups)
    subjects = list(dict.fromkeys(subject for _, _, subject in groups))
    if task == "retrieval":
        metrics.pop("cosine", None)
        subjects.sort()
    pairs = []
    for metric in metrics:
        for than_subject, subject in combinations(subjects, 2):
            values, than_values = groups[task, metric, subject], groups[task, metric, than_subject]
            differences = _array(
                values[target] - than_values[target] for target in values if target in than_values
            )
            names = {"metric": metric, "subject": subject, "than_subject": than_subject}
            pairs.append((names, differences))
    return pairs


def _interval_columns(low: float, high: float, n: int) -> Row:
    """Return the columns of an interval over `n` targets. The bounds are None if n < 2."""
    if n < 2:
        return {"low": None, "high": None, "interval_reason": ["no_target", "one_target"][n]}
    return {"low": float(low), "high": float(high), "interval_reason": None}


def _array(values: Iterable[float]) -> Float64:
    return np.array(list(values), np.float64)

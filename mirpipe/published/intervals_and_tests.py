"""Intervals and paired tests of the published numbers, by the functions that do ours."""

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
_Values = dict[str, float]


def interval_rows(scores: Sequence[Score]) -> list[Row]:
    """The interval of every mean, over the targets of its encoder or mode."""
    groups = _groups(scores)
    ends = intervals([_column(values.values()) for values in groups.values()])
    return [
        {"task": task, "subject": subject, "metric": metric, **_ends(low, high, len(values))}
        for ((task, metric, subject), values), (low, high) in zip(groups.items(), ends, strict=True)
    ]


def comparison_rows(scores: Sequence[Score]) -> list[Row]:
    """Every two encoders and every two modes, by metric; the p of a task are corrected together.

    The later encoder by name is compared with the earlier, the later mode in print likewise.
    Cosines of two encoders are left out: they are not on one scale.
    """
    rows: list[Row] = []
    for task in ("retrieval", "generation"):
        pairs = _pairs(task, _groups([one for one in scores if one.task == task]))
        found = compare([differences for _, differences in pairs])
        corrected = holm(_column(one.p for one in found))
        tested = sum(not math.isnan(one.p) for one in found)
        rows += [
            {
                "task": task,
                **named,
                **_ends(one.low, one.high, one.n),
                "p": None if math.isnan(one.p) else one.p,
                "p_holm": None if math.isnan(one.p) else float(p_holm),
                "method": ("exact" if one.is_exact else "permutation") if one.n else None,
                "reason": None if one.n else "no_target",
                "family_n": tested,
            }
            for (named, _), one, p_holm in zip(pairs, found, corrected, strict=True)
        ]
    return rows


def _groups(scores: Sequence[Score]) -> dict[tuple[str, str, str], _Values]:
    """(task, metric, encoder or mode) → target → value, in the order of print."""
    groups: dict[tuple[str, str, str], _Values] = defaultdict(dict)
    for one in scores:
        groups[one.task, one.metric, one.subject][one.target] = one.value
    return groups


def _pairs(
    task: str, groups: dict[tuple[str, str, str], _Values]
) -> list[tuple[dict[str, str], Float64]]:
    metrics = dict.fromkeys(metric for _, metric, _ in groups)
    subjects = list(dict.fromkeys(subject for _, _, subject in groups))
    if task == "retrieval":
        metrics.pop("cosine", None)
        subjects.sort()
    pairs = []
    for metric in metrics:
        for than, subject in combinations(subjects, 2):
            first, second = groups[task, metric, subject], groups[task, metric, than]
            differences = _column(first[one] - second[one] for one in first if one in second)
            named = {"metric": metric, "subject": subject, "than_subject": than}
            pairs.append((named, differences))
    return pairs


def _ends(low: float, high: float, n: int) -> Row:
    if n < 2:
        return {"low": None, "high": None, "interval_reason": ["no_target", "one_target"][n]}
    return {"low": float(low), "high": float(high), "interval_reason": None}


def _column(values: Iterable[float]) -> Float64:
    return np.array(list(values), np.float64)

"""Corrects all paired comparisons that answer one question, such as those of all encoders.

Comparisons that were declared are tested as contrasts (`declared_contrasts`). All others are
exploratory: they suggest what to look at next, and establish nothing. Source for these: Benjamini
and Hochberg, Controlling the false discovery rate (1995).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mirpipe.records import Float64
from mirpipe.statistics.declared_contrasts import Contrast, correct_contrasts
from mirpipe.statistics.group_test import correct_exploratory
from mirpipe.statistics.paired_sign_flip_test import EXACT_N, sign_flip_p_values

Role = Literal["primary", "secondary", "exploratory", "random"]


@dataclass(frozen=True)
class PairedMetric:
    """The differences of one metric between two sources."""

    sources: Hashable
    """The two sources. Comparisons with equal sources are metrics of the same contrast."""
    metric: str
    differences: Mapping[Any, float]
    """First source minus second source for each target that has both values."""
    is_declared: bool
    """Whether the comparison was declared before looking at the results."""
    is_random: bool = False
    """Whether the values depend on random weights. Such a comparison is never corrected."""


@dataclass(frozen=True)
class Verdict:
    """The p-values of one comparison."""

    role: Role
    p: float | None
    """Two-sided p-value. None if there is no target."""
    is_exact: bool
    """Whether p counts all sign choices, not a random sample of them."""
    p_adjusted: float | None
    """Corrected p-value. None if there is a reason."""
    reason: str | None
    """Code of the reason why there is no corrected p-value."""
    family_n: int
    """Number of declared contrasts, or of exploratory comparisons, that are corrected together."""


def correct(comparisons: Sequence[PairedMetric], primary_metric: str) -> list[Verdict]:
    """Return the verdict on each comparison, in the same order."""
    columns = [_column(comparison) for comparison in comparisons]
    single_ps = sign_flip_p_values(columns)
    declared: dict[Hashable, list[int]] = {}
    exploratory: list[int] = []
    for index, comparison in enumerate(comparisons):
        if comparison.is_random or not comparison.differences:
            continue
        if comparison.is_declared:
            declared.setdefault(comparison.sources, []).append(index)
        else:
            exploratory.append(index)
    p, adjusted = single_ps.copy(), np.full(len(comparisons), np.nan)
    is_exact = np.array([len(column) <= EXACT_N for column in columns], bool)
    contrasts = [
        _contrast([comparisons[index] for index in indices], primary_metric)
        for indices in declared.values()
    ]
    for indices, corrected in zip(declared.values(), correct_contrasts(contrasts), strict=True):
        is_joint = ~np.isnan(corrected.p)
        p[indices] = np.where(is_joint, corrected.p, p[indices])
        is_exact[indices] = np.where(is_joint, corrected.is_exact, is_exact[indices])
        adjusted[indices] = corrected.corrected
    adjusted[exploratory] = correct_exploratory(p[exploratory])
    return [
        Verdict(
            role := _role(comparison, primary_metric),
            _none_if_nan(p[index]),
            bool(is_exact[index]),
            _none_if_nan(adjusted[index]),
            _reason(comparison, adjusted[index]),
            {"exploratory": len(exploratory), "random": 0}.get(role, len(contrasts)),
        )
        for index, comparison in enumerate(comparisons)
    ]


def _role(comparison: PairedMetric, primary_metric: str) -> Role:
    if comparison.is_random:
        return "random"
    if not comparison.is_declared:
        return "exploratory"
    return "primary" if comparison.metric == primary_metric else "secondary"


def _reason(comparison: PairedMetric, adjusted: float) -> str | None:
    if not comparison.differences:
        return "no_target"
    if comparison.is_random:
        return "random_weights"
    return "too_few_targets" if np.isnan(adjusted) else None


def _contrast(metrics: Sequence[PairedMetric], primary_metric: str) -> Contrast:
    """Return the differences of a contrast's metrics on all targets of any of them."""
    targets = dict.fromkeys(target for metric in metrics for target in metric.differences)
    differences = np.array(
        [[metric.differences.get(target, np.nan) for metric in metrics] for target in targets]
    )
    names = [metric.metric for metric in metrics]
    return Contrast(differences, names.index(primary_metric) if primary_metric in names else None)


def _column(comparison: PairedMetric) -> Float64:
    return np.array(list(comparison.differences.values()), np.float64)


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""How the mean of each metric differs between two revisions, with a verdict for each margin."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mirpipe.db.store.shared_answers import MetricValues
from mirpipe.db.store.stored_revisions import StoredRevision
from mirpipe.music.metrics.metric_ranges import range_of_difference
from mirpipe.music.metrics.related_metrics import is_tested
from mirpipe.records import Float64
from mirpipe.statistics.comparison_family import PairedMetric, Verdict, correct
from mirpipe.statistics.mean_intervals import MIN_N
from mirpipe.statistics.non_inferiority import NonInferiority, non_inferiority
from mirpipe.statistics.paired_sign_flip_test import PairedComparison, compare


@dataclass(frozen=True)
class MetricChange:
    """How the mean of a metric differs between two revisions. Undefined values are None."""

    metric: str
    n: int
    """Number of shared targets with a value for both revisions."""
    old_mean: float | None
    new_mean: float | None
    difference: float | None
    """Mean of (new − old) over the targets, in the unit of the metric."""
    low: float | None
    """Lower end of the 95% interval of the difference."""
    high: float | None
    """Upper end of the 95% interval of the difference."""
    p_adjusted: float | None
    """p-value of a sign-flip test, corrected for the other metrics."""
    p_reason: str | None
    """Code of the reason why p_adjusted is None, such as too_few_targets."""
    reason: str | None
    """Code of the reason why the metric can have no verdict, such as too_few_targets."""
    margin: float | None
    """Largest acceptable decrease. None if the metric is only shown."""
    verdict: NonInferiority | None
    """Verdict of the non-inferiority test. None without a margin."""


def metric_changes(
    metrics: list[MetricValues],
    old: StoredRevision,
    new: StoredRevision,
    margins: Mapping[str, float],
    primary_metric: str,
) -> list[MetricChange]:
    """Return the change of each metric, with the metrics corrected together as one contrast."""
    is_defined = [np.isfinite(values.old) & np.isfinite(values.new) for values in metrics]
    columns = [
        (values.new - values.old)[defined]
        for values, defined in zip(metrics, is_defined, strict=True)
    ]
    tests = compare(columns, ranges=[range_of_difference(values.range) for values in metrics])
    p_values = correct(
        [
            PairedMetric(
                "revisions",
                values.metric,
                dict(zip(np.flatnonzero(defined).tolist(), column.tolist(), strict=True)),
                is_declared=is_tested(values.metric) or values.metric == primary_metric,
                is_random=_is_random(values, old, new),
            )
            for values, defined, column in zip(metrics, is_defined, columns, strict=True)
        ],
        primary_metric,
    )
    changes = [
        _metric_change(values, defined, test, p, old, new, margins.get(values.metric))
        for values, defined, test, p in zip(metrics, is_defined, tests, p_values, strict=True)
    ]
    return sorted(changes, key=lambda change: (change.margin is None, change.metric))


def _metric_change(
    values: MetricValues,
    is_defined: np.ndarray,
    test: PairedComparison,
    p: Verdict,
    old: StoredRevision,
    new: StoredRevision,
    margin: float | None,
) -> MetricChange:
    reason = _reason(values, test, old, new)
    verdict: NonInferiority | None = None
    if margin is not None:
        verdict = "undecided" if reason else non_inferiority(test, margin)
    return MetricChange(
        metric=values.metric,
        n=test.n,
        old_mean=_mean(values.old[is_defined]),
        new_mean=_mean(values.new[is_defined]),
        difference=_none_if_nan(test.mean),
        low=_none_if_nan(test.low),
        high=_none_if_nan(test.high),
        p_adjusted=p.p_adjusted,
        p_reason=p.reason,
        reason=reason,
        margin=margin,
        verdict=verdict,
    )


def _reason(
    values: MetricValues, test: PairedComparison, old: StoredRevision, new: StoredRevision
) -> str | None:
    """Return the code of the reason why the metric cannot judge the revisions, or None."""
    if _is_random(values, old, new):
        return "random_weights"
    if values.encoder in (old.name, new.name):
        return "own_vectors"
    if old.unsearched_n or new.unsearched_n:
        return "unsearched_vectors"
    if values.unmeasured_n:
        return "not_measured"
    return "too_few_targets" if test.n < MIN_N else None


def _is_random(values: MetricValues, old: StoredRevision, new: StoredRevision) -> bool:
    return values.random or old.random or new.random


def unmeasured(metric: str, margin: float, *, has_answers: bool) -> MetricChange:
    """Return the change of a metric without values for the answers of both revisions."""
    return MetricChange(
        metric=metric,
        n=0,
        old_mean=None,
        new_mean=None,
        difference=None,
        low=None,
        high=None,
        p_adjusted=None,
        p_reason="no_target",
        reason="no_metric" if has_answers else "no_shared_answers",
        margin=margin,
        verdict="undecided",
    )


def _mean(values: Float64) -> float | None:
    return float(values.mean()) if len(values) else None


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

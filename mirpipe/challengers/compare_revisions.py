"""Compares two encoder revisions on the targets and references that both have embedded.

Both revisions are judged on the same tracks and by the same metric revisions, so only the models
can differ. The differences are paired by target.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store.shared_matches import (
    MetricOfMatches,
    SharedMatches,
    metrics_of_matches,
    shared_matches,
    titles,
)
from mirpipe.db.store.stored_revisions import StoredRevision
from mirpipe.music.metrics.metric_ranges import range_of_difference
from mirpipe.music.metrics.related_metrics import is_tested
from mirpipe.records import Float64
from mirpipe.setting_types import is_compared
from mirpipe.statistics.comparison_family import PairedMetric, Verdict, correct
from mirpipe.statistics.mean_intervals import MIN_N, intervals
from mirpipe.statistics.non_inferiority import NonInferiority, combined, non_inferiority
from mirpipe.statistics.paired_sign_flip_test import PairedComparison, compare

K = 10
"""Number of matches per target that are compared. mirpipe shows as many."""
MAX_CHANGED = 10
"""Largest number of targets that are listed with their best matches."""


@dataclass(frozen=True)
class MetricChange:
    """How a metric of the best matches differs between two revisions. Undefined values are None."""

    metric: str
    n: int
    """Number of shared targets with a value for both revisions."""
    old_mean: float | None
    new_mean: float | None
    difference: float | None
    """Mean of (new − old) over the targets, in the unit of the metric."""
    low: float | None
    """Lower end of the 95 % interval of the difference."""
    high: float | None
    """Upper end of the 95 % interval of the difference."""
    p_adjusted: float | None
    """p-value of a sign-flip test, corrected for the other metrics."""
    reason: str | None
    """Code of the reason why the metric can have no verdict, such as too_few_targets."""
    margin: float | None
    """Largest acceptable decrease. None if the metric is only shown."""
    verdict: NonInferiority | None
    """Verdict of the non-inferiority test. None without a margin."""


@dataclass(frozen=True)
class ChangedTarget:
    """A shared target whose best matches differ."""

    target_id: int
    target: str
    old_reference_id: int
    old_reference: str
    new_reference_id: int
    new_reference: str
    common: float
    """Share of the first K matches that both revisions have in common, 0 to 1."""
    difference: float | None
    """New minus old value of the primary metric. None if a value is undefined."""


@dataclass(frozen=True)
class RevisionComparison:
    """What changes if the new revision takes over from the old one."""

    old: StoredRevision
    new: StoredRevision
    references_n: int
    """Number of references that both revisions have embedded."""
    targets_n: int
    """Number of targets that both revisions have embedded."""
    compared_n: int
    """Number of these targets for which both revisions have a shared match."""
    changed_n: int
    """Number of compared targets with a different best match."""
    common: float | None
    """Mean share of the first K matches that both revisions have in common, 0 to 1."""
    common_low: float | None
    """Lower end of the 95 % interval of `common`."""
    common_high: float | None
    """Upper end of the 95 % interval of `common`."""
    metrics: list[MetricChange]
    changed: list[ChangedTarget]
    """The targets that change most, at most MAX_CHANGED."""
    verdict: NonInferiority
    """Verdict on all metrics with a margin together."""


def compare_revisions(
    connection: Connection,
    old: StoredRevision,
    new: StoredRevision,
    *,
    margins: Mapping[str, float],
    primary_metric: str,
    same_recording_counts: bool,
) -> RevisionComparison:
    """Return how the new revision differs from the old one, with a verdict for each margin.

    `margins` contains the largest acceptable decrease of each judged metric, in its unit. A metric
    with a margin that was never measured has the verdict `undecided`.
    """
    matches = shared_matches(
        connection,
        old.encoder_id,
        new.encoder_id,
        k=K,
        same_recording_counts=same_recording_counts,
    )
    measured = {
        values.metric: values
        for values in metrics_of_matches(connection, matches)
        if is_compared(values.metric)
    }
    metrics = [
        *_metric_changes(list(measured.values()), old, new, margins, primary_metric),
        *(_unknown(name, margins[name]) for name in sorted(margins.keys() - measured.keys())),
    ]
    [(low, high)] = intervals([matches.common], ranges=[(0.0, 1.0)])
    return RevisionComparison(
        old=old,
        new=new,
        references_n=matches.references_n,
        targets_n=matches.targets_n,
        compared_n=len(matches.target_ids),
        changed_n=int((matches.old_ids != matches.new_ids).sum()),
        common=float(matches.common.mean()) if len(matches.common) else None,
        common_low=_none_if_nan(low),
        common_high=_none_if_nan(high),
        metrics=metrics,
        changed=_most_changed(connection, matches, measured.get(primary_metric)),
        verdict=combined(change.verdict for change in metrics if change.verdict is not None),
    )


def _metric_changes(
    metrics: list[MetricOfMatches],
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
    values: MetricOfMatches,
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
        reason=reason,
        margin=margin,
        verdict=verdict,
    )


def _reason(
    values: MetricOfMatches, test: PairedComparison, old: StoredRevision, new: StoredRevision
) -> str | None:
    """Return the code of the reason why the metric cannot judge the revisions, or None."""
    if _is_random(values, old, new):
        return "random_weights"
    if values.encoder in (old.encoder, new.encoder):
        return "own_vectors"
    if old.unsearched_n or new.unsearched_n:
        return "unsearched_vectors"
    if values.unmeasured_n:
        return "not_measured"
    return "too_few_targets" if test.n < MIN_N else None


def _is_random(values: MetricOfMatches, old: StoredRevision, new: StoredRevision) -> bool:
    return values.random or old.random or new.random


def _unknown(metric: str, margin: float) -> MetricChange:
    return MetricChange(
        metric, 0, None, None, None, None, None, None, "no_metric", margin, "undecided"
    )


def _most_changed(
    connection: Connection, matches: SharedMatches, primary: MetricOfMatches | None
) -> list[ChangedTarget]:
    """Return the targets with different best matches: the largest difference comes first."""
    changed = np.flatnonzero(matches.old_ids != matches.new_ids)
    differences = np.full(len(matches.target_ids), np.nan)
    if primary is not None:
        differences = primary.new - primary.old
    size = np.nan_to_num(np.abs(differences[changed]), nan=-1.0)
    chosen = changed[np.lexsort((matches.common[changed], -size))][:MAX_CHANGED]
    ids = np.concatenate(
        [array[chosen] for array in (matches.target_ids, matches.old_ids, matches.new_ids)]
    )
    title = titles(connection, ids.tolist())
    return [
        ChangedTarget(
            target,
            title[target],
            before,
            title[before],
            after,
            title[after],
            common,
            _none_if_nan(difference),
        )
        for target, before, after, common, difference in zip(
            matches.target_ids[chosen].tolist(),
            matches.old_ids[chosen].tolist(),
            matches.new_ids[chosen].tolist(),
            matches.common[chosen].tolist(),
            differences[chosen].tolist(),
            strict=True,
        )
    ]


def _mean(values: Float64) -> float | None:
    return float(values.mean()) if len(values) else None


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

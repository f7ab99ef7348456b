"""Step-down min-p test: which of several metrics differ between two sources on the same targets.

The metrics of a target depend on each other, so the signs of all its differences are flipped
together. The test compares the smallest p-value of the metrics with the smallest p-values under the
sign flips, then the second smallest, and so on. The probability that it finds any difference where
there is none is at most the significance level. Sources: Westfall and Young, Resampling-Based
Multiple Testing (1993), algorithm 2.8; Nichols and Holmes, Nonparametric permutation tests for
functional neuroimaging (2002), for the sign flips.

p-values are compared, and not mean differences, because n differs between metrics. A metric with
few targets reaches its largest difference under many of the flips, and would hide the others.
"""

import numpy as np

from mirpipe.records import Float64
from mirpipe.statistics.mean_intervals import SEED
from mirpipe.statistics.paired_sign_flip_test import (
    EXACT_N,
    FLIPS,
    ROUNDING,
    all_sign_sums,
    random_signs,
)


def step_down_min_p(
    differences: Float64, *, flips: int = FLIPS, seed: int = SEED
) -> tuple[Float64, Float64]:
    """Return the two-sided p-value of each metric, and the corrected one, each of shape (metrics,).

    `differences` has shape (targets, metrics). NaN means that the metric has no difference for the
    target. Each metric needs at least one. The null hypothesis is that the differences of a metric
    are symmetric around 0. The p-values are exact up to 20 targets. If there are more, they are
    estimated from `flips` random sign choices and the observed one.
    """
    targets = len(differences)
    values = np.nan_to_num(differences)
    if targets <= EXACT_N:
        sums = all_sign_sums(values)
    else:
        blocks = [signs @ values for signs in random_signs(targets, flips, seed)]
        sums = np.concatenate([values.sum(axis=0)[np.newaxis], *blocks])
    p_by_flip = _p_values(np.abs(sums), ROUNDING * np.abs(values).sum(axis=0))
    observed = p_by_flip[0]
    order = np.argsort(observed, kind="stable")
    smallest = np.minimum.accumulate(p_by_flip[:, order[::-1]], axis=1)[:, ::-1]
    corrected = np.empty(len(observed))
    corrected[order] = np.maximum.accumulate((smallest <= observed[order]).mean(axis=0))
    return observed, corrected


def _p_values(sums: Float64, tolerances: Float64) -> Float64:
    """Return, for each sum, the share of sums of the same metric that are at least as large.

    `sums` has shape (flips, metrics). Sums that differ by less than the metric's tolerance are
    equal.
    """
    p_values = np.empty(sums.shape)
    for metric, tolerance in enumerate(tolerances):
        order = np.argsort(sums[:, metric])
        ascending = sums[order, metric]
        smaller = np.searchsorted(ascending, ascending - tolerance)
        p_values[order, metric] = (len(order) - smaller) / len(order)
    return p_values

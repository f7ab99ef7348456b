"""Corrects the p-values of declared contrasts for the number of tests.

A contrast is a pair of sources that was declared before looking at the results. Its primary metric
is tested first, and the other metrics can only be established if the primary one is (gatekeeping).
The other metrics are corrected together by the step-down min-p test. Bonferroni's correction is
applied to the number of contrasts. The probability that any established difference is false is
therefore at most LEVEL. Holm's correction of the smallest p-value of each contrast is not used,
because it does not keep the level if contrasts contain real differences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Bool, Float64
from mirpipe.statistics.mean_intervals import SEED
from mirpipe.statistics.paired_sign_flip_test import EXACT_N, FLIPS
from mirpipe.statistics.step_down_min_p import step_down_min_p

LEVEL = 0.05
"""Significance level."""


@dataclass(frozen=True)
class Contrast:
    """The differences between two sources."""

    differences: Float64
    """First source minus second source, shape (targets, metrics). NaN if a value is undefined."""
    primary: int | None
    """Column of the primary metric. None if it was not measured."""


@dataclass(frozen=True)
class CorrectedContrast:
    """The p-values of a contrast, one per metric, shape (metrics,)."""

    p: Float64
    """Two-sided p-values. NaN for a metric that cannot be established."""
    corrected: Float64
    """Corrected p-values. NaN for a metric that cannot be established."""
    is_exact: Bool
    """Whether p counts all sign choices, not a random sample of them."""


def correct_contrasts(
    contrasts: Sequence[Contrast], *, flips: int = FLIPS, seed: int = SEED
) -> list[CorrectedContrast]:
    """Return the corrected p-values of contrasts that answer the same question.

    A metric with too few targets could not be established even if all its differences had the same
    sign. It is not tested, and does not weaken the tests of the other metrics. If this is true for
    the primary metric, the other metrics are tested without it.
    """
    return [_correct(contrast, len(contrasts), flips=flips, seed=seed) for contrast in contrasts]


def can_be_established(differences: Float64, contrasts_n: int) -> Bool:
    """Return for each metric whether its p-value can be small enough, shape (metrics,), bool.

    `differences` has shape (targets, metrics). With n differences other than 0, the smallest
    possible p-value is 2^(1 − n).
    """
    n = np.count_nonzero(np.nan_to_num(differences), axis=0)
    possible: Bool = contrasts_n * 2.0 ** (1 - n) < LEVEL
    return possible


def _correct(contrast: Contrast, contrasts_n: int, *, flips: int, seed: int) -> CorrectedContrast:
    metrics = contrast.differences.shape[1]
    p, corrected = np.full(metrics, np.nan), np.full(metrics, np.nan)
    is_exact = np.ones(metrics, bool)
    possible = can_be_established(contrast.differences, contrasts_n)
    gate = 0.0
    secondary = possible.copy()
    if contrast.primary is not None and possible[contrast.primary]:
        primary = np.arange(metrics) == contrast.primary
        differences = _without_empty_targets(contrast.differences[:, primary])
        p[primary], _ = step_down_min_p(differences, flips=flips, seed=seed)
        is_exact[primary] = len(differences) <= EXACT_N
        corrected[primary] = p[primary]
        gate = float(p[contrast.primary])
        secondary[contrast.primary] = False
    if secondary.any():
        differences = _without_empty_targets(contrast.differences[:, secondary])
        p[secondary], within = step_down_min_p(differences, flips=flips, seed=seed)
        is_exact[secondary] = len(differences) <= EXACT_N
        corrected[secondary] = np.maximum(within, gate)
    return CorrectedContrast(p, np.minimum(1.0, contrasts_n * corrected), is_exact)


def _without_empty_targets(differences: Float64) -> Float64:
    """Return the rows of targets that have a difference in any of these metrics."""
    kept: Float64 = differences[~np.isnan(differences).all(axis=1)]
    return kept

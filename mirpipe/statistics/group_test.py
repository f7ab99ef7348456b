"""Tests whether the values of a group of targets differ from those of all other targets.

The test is Mann and Whitney's, which compares ranks and needs no normal distribution. These tests
are exploratory: they are corrected together by Benjamini and Hochberg's method, and establish
nothing.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from mirpipe.records import Bool, Float64

MIN_GROUP = 5
"""Minimum number of targets in the group, and of other targets."""


def group_p_value(values: Float64, is_in_group: Bool) -> float:
    """Return the two-sided p-value of a group, or NaN if it or the rest is too small.

    `values` has shape (targets,), finite. `is_in_group` has the same shape. p is exact for small
    groups without equal values.
    """
    group, others = values[is_in_group], values[~is_in_group]
    if min(len(group), len(others)) < MIN_GROUP:
        return np.nan
    p = stats.mannwhitneyu(group, others, alternative="two-sided").pvalue
    return max(float(p), np.finfo(float).tiny)


def correct_exploratory(p_values: Sequence[float] | Float64) -> Float64:
    """Return the p-values after Benjamini and Hochberg's correction. NaN stays NaN."""
    p = np.array(p_values, np.float64)
    corrected = np.full(len(p), np.nan)
    is_tested = ~np.isnan(p)
    if is_tested.any():
        by_rate = stats.false_discovery_control(p[is_tested], method="bh")
        corrected[is_tested] = np.maximum(by_rate, p[is_tested])  # Rounding must not lower p.
    return corrected

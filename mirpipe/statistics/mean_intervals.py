"""95% confidence intervals for means of few or skewed values.

A bound is the studentised bootstrap bound. Its distance from the mean is at least half-way to
Student's t bound, and at most 2.5 times as large as that of Student's t bound. The studentised
bootstrap alone is too short for symmetric values with heavy tails, and has no limit if few values
are different. Student's t alone is too short on the long side of skewed values. The page
`docs/reference/error-rates.md` shows how often the intervals contain the true mean. Source: Efron
and Tibshirani, An Introduction to the Bootstrap (1993), chapter 12.

scipy.stats.bootstrap is not used because it has no studentised bootstrap. statsmodels has none
either.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np

from mirpipe.records import Float64, Int64

MIN_N = 5
"""Minimum number of values. With fewer values, no method contains the mean in 95% of cases."""
RESAMPLES = 10_000
SEED = 20_240_229
LEVEL = 0.95
"""Confidence level."""

_TAILS = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
_MOST = 2.5
"""Largest distance of a bound from the mean, as a multiple of Student's t."""
_EQUAL = 1e-12
"""Values count as equal if their standard deviation is below this share of the largest value."""
_MAX_INDICES = 1 << 21
"""Number of drawn indices that are in memory at the same time: 16 MiB."""
_MAX_COLUMNS_TO_PICK = 4
"""Largest number of columns for which picking the drawn values is faster than counting draws."""
_MAX_COLUMNS = 64
"""Number of columns whose resamples are in memory at the same time: 10 MiB."""


def intervals(
    columns: Sequence[Float64],
    *,
    ranges: Sequence[tuple[float, float]] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Float64:
    """Return the interval bounds for the mean of each column, shape (columns, 2), float64.

    The lower bound comes first. Each column has shape (n,) and finite values; n may differ between
    columns. The bounds have the same unit as the column. They are NaN if n is below MIN_N or if all
    values are equal (see `missing_reason`). If `ranges` contains the lowest and highest possible
    value of each column, the bounds are limited to them. This leaves out only impossible means, so
    the interval contains the true mean as often as before. If a value is outside its range, as a
    regression model's score can be, the range is extended to this value. The last digits of the
    bounds depend on the order of the values, so pass equal data in the same order.
    """
    bounds = np.full((len(columns), 2), np.nan)
    indices_by_length = defaultdict(list)
    for index, column in enumerate(columns):
        if len(column) >= MIN_N and column.std() > _EQUAL * np.abs(column).max():
            indices_by_length[len(column)].append(index)
    for indices in indices_by_length.values():
        for start in range(0, len(indices), _MAX_COLUMNS):
            batch = indices[start : start + _MAX_COLUMNS]
            values = np.stack([columns[index] for index in batch], axis=1)
            random = np.random.default_rng(seed)
            bounds[batch] = _bounds(values, resamples, random).T
    if ranges is not None:
        for bound, column, (lowest, highest) in zip(bounds, columns, ranges, strict=True):
            if len(column):
                bound.clip(min(lowest, column.min()), max(highest, column.max()), out=bound)
    return bounds


def wilson_intervals(columns: Sequence[Float64]) -> Float64:
    """Return Wilson's interval for the share of ones in each column, shape (columns, 2), float64.

    Each column has shape (n,) and contains only 0 and 1. The bounds are NaN if n is below MIN_N.
    """
    from scipy import stats  # takes 0.5 s, and every command imports this module

    bounds = np.full((len(columns), 2), np.nan)
    for index, column in enumerate(columns):
        if len(column) >= MIN_N:
            share = stats.binomtest(int(column.sum()), len(column))
            bounds[index] = share.proportion_ci(LEVEL, method="wilson")
    return bounds


def missing_reason(
    n: int, low: float, *, unit: Literal["target", "query"] = "target"
) -> str | None:
    """Return the code of the reason why the interval of n values is missing, or None if it exists.

    `low` is the lower bound. `unit` is what the values belong to.
    """
    if not np.isnan(low):
        return None
    if n == 0:
        return f"no_{unit}"
    if n < MIN_N:
        return {"target": "too_few_targets", "query": "too_few_queries"}[unit]
    return "equal_values"


def _bounds(values: Float64, resamples: int, random: np.random.Generator) -> Float64:
    """Return the lower and upper bound of each column, shape (2, columns).

    `values` has shape (n, columns).
    """
    from scipy import stats

    n = len(values)
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    bootstrap = -_resampled_t((values - mean) / sd, resamples, random)[::-1]
    student = stats.t.ppf(_TAILS, n - 1)[:, np.newaxis]
    half_way = (bootstrap + student) / 2
    wider = np.stack([np.minimum(bootstrap[0], half_way[0]), np.maximum(bootstrap[1], half_way[1])])
    limited = wider.clip(_MOST * student[0], _MOST * student[1])
    bounds: Float64 = mean + limited * sd / np.sqrt(n)
    return bounds


def _resampled_t(standardised: Float64, resamples: int, random: np.random.Generator) -> Float64:
    """Return the two quantiles of the resamples' t statistic for each column, shape (2, columns).

    `standardised` has shape (n, columns), mean 0 and standard deviation 1. Resamples without any
    spread have an infinite t statistic, which is stored as a large number.
    """
    n, count = standardised.shape
    columns = np.concatenate([standardised, standardised**2], axis=1)
    batch = max(1, _MAX_INDICES // n)
    t = np.empty((resamples, count))
    for start in range(0, resamples, batch):
        rows = min(batch, resamples - start)
        sums = _sums(columns, random.integers(0, n, (rows, n)))
        means, squares = sums[:, :count] / n, sums[:, count:] / n
        variances = (squares - means**2) * n / (n - 1)
        t[start : start + rows] = means / np.sqrt(np.maximum(variances, _EQUAL) / n)
    quantiles: Float64 = np.quantile(t, _TAILS, axis=0)
    return quantiles


def _sums(values: Float64, drawn: Int64) -> Float64:
    """Return the sums of the drawn rows of `values`, shape (resamples, columns).

    `drawn` contains row indices, shape (resamples, n). The number of columns determines which of
    two methods is faster.
    """
    if values.shape[1] <= _MAX_COLUMNS_TO_PICK:
        return np.stack([column.take(drawn).sum(axis=1) for column in values.T], axis=1)
    return _draw_counts(drawn, len(values)) @ values


def _draw_counts(drawn: Int64, n: int) -> Float64:
    """Return how often each of n rows was drawn in each resample, shape (resamples, n)."""
    rows = len(drawn)
    flat = (drawn + n * np.arange(rows)[:, np.newaxis]).ravel()
    return np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)

"""How far a mean can be trusted: 95 % percentile bootstrap intervals, many means at once.

The values of a column are resampled with replacement, and the interval holds the middle 95 % of the
means of the resamples. Columns of one length share their resamples. Source: Efron and Tibshirani,
An Introduction to the Bootstrap (1993), chapter 13.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float64

RESAMPLES = 10_000
SEED = 20_240_229
LEVEL = 0.95

_CELLS = 1 << 21
"""Drawn indices that are in memory at once: 16 MiB."""
_FEW = 2
"""Columns up to which picking their values is faster than counting what was drawn."""
_COLUMNS = 128
"""Columns whose resampled means are in memory at once: 10 MiB."""


def intervals(
    columns: Sequence[Float64], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Float64:
    """Low and high of the mean of each column, shape (columns, 2), in the columns' own units.

    A column holds finite values, shape (n,), of any n; NaN and NaN where n is below 2: one value
    says nothing of how others would differ. The order within a column matters to the last digits,
    so that equal input must come in equal order.
    """
    found = np.full((len(columns), 2), np.nan)
    by_length = defaultdict(list)
    for at, column in enumerate(columns):
        by_length[len(column)].append(at)
    tail = (1 - LEVEL) / 2
    for n, places in by_length.items():
        for start in range(0, len(places) if n > 1 else 0, _COLUMNS):
            part = places[start : start + _COLUMNS]
            values = np.stack([columns[at] for at in part], axis=1)
            centre = values.mean(axis=0)
            means = _means(values - centre, resamples, np.random.default_rng(seed))
            found[part] = (centre + np.quantile(means, [tail, 1 - tail], axis=0)).T
    return found


def _means(values: Float64, resamples: int, random: np.random.Generator) -> Float64:
    """Means of resampled rows, shape (resamples, columns), of values of shape (n, columns)."""
    n = len(values)
    block = max(1, _CELLS // n)
    means = np.empty((resamples, values.shape[1]))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = random.integers(0, n, (rows, n))
        means[start : start + rows] = _sums(values, drawn) / n
    return means


def _sums(values: Float64, drawn: NDArray[np.int64]) -> Float64:
    """Sums of the drawn rows, shape (draws, columns); how that is fastest depends on how many."""
    if values.shape[1] <= _FEW:
        return np.stack([column.take(drawn).sum(axis=1) for column in values.T], axis=1)
    return _counts(drawn, len(values)) @ values


def _counts(drawn: NDArray[np.int64], n: int) -> Float64:
    """How often each of n things was drawn, a row of draws a row."""
    rows = len(drawn)
    flat = (drawn + n * np.arange(rows)[:, np.newaxis]).ravel()
    return np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)

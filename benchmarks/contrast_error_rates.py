"""Simulates how often comparisons find false and real differences, by the old and new method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Bool, Float64
from mirpipe.statistics.declared_contrasts import LEVEL, Contrast, correct_contrasts
from mirpipe.statistics.paired_sign_flip_test import sign_flip_p_values

SIZES = (8, 9, 11, 30)
"""Numbers of targets."""
CONTRASTS, METRICS = 3, 6
CORRELATION = 0.7
"""Correlation of the metrics of one target."""
EFFECT = 1.5
"""Size of a real difference, in standard deviations."""
MISSING = 3
"""Number of targets for which the last metric is undefined."""
DATASETS = 5000
"""Number of data sets per row. The standard error of a rate of 5% is 0.3."""
FLIPS = 999

SCENARIOS: dict[str, Bool] = {
    "no difference": np.zeros((CONTRASTS, METRICS), bool),
    "primary metric differs": np.eye(METRICS, dtype=bool)[[0, 0, 0]],
    "half of the metrics differ": np.tile(np.arange(METRICS) < METRICS // 2, (CONTRASTS, 1)),
    "one contrast differs": np.repeat(np.arange(CONTRASTS) == 0, METRICS).reshape(
        CONTRASTS, METRICS
    ),
    "everything differs": np.ones((CONTRASTS, METRICS), bool),
}
"""For each scenario, which metrics of which contrasts have a real difference."""


@dataclass(frozen=True)
class Rates:
    """Rates of one method in one scenario."""

    false: float | None
    """Share of data sets with at least one false difference. None if all differences are real."""
    found: float | None
    """Share of the real differences that are found. None if there are no real differences."""


def simulate(is_real: Bool, n: int, *, datasets: int = DATASETS) -> tuple[Rates, Rates]:
    """Return the rates of the declared contrasts, and those of Holm's correction of all tests."""
    random = np.random.default_rng(n)
    new, old = [], []
    for _ in range(datasets):
        contrasts = [_draw(random, n, real) for real in is_real]
        new.append(_declared(contrasts))
        old.append(_holm(contrasts))
    return _rates(np.array(new), is_real), _rates(np.array(old), is_real)


def _draw(random: np.random.Generator, n: int, is_real: Bool) -> Float64:
    """Return correlated differences, shape (n, METRICS)."""
    shared = random.normal(size=(n, 1)) * np.sqrt(CORRELATION)
    own = random.normal(size=(n, METRICS)) * np.sqrt(1 - CORRELATION)
    differences: Float64 = shared + own + EFFECT * is_real
    differences[:MISSING, -1] = np.nan
    return differences


def _declared(contrasts: Sequence[Float64]) -> Bool:
    corrected = correct_contrasts([Contrast(each, primary=0) for each in contrasts], flips=FLIPS)
    return np.array([np.nan_to_num(each.corrected, nan=1.0) < LEVEL for each in corrected])


def _holm(contrasts: Sequence[Float64]) -> Bool:
    columns = [column[~np.isnan(column)] for each in contrasts for column in each.T]
    ps = sign_flip_p_values(columns, flips=FLIPS)
    order = np.argsort(ps)
    corrected = np.empty(len(ps))
    corrected[order] = np.maximum.accumulate(ps[order] * np.arange(len(ps), 0, -1))
    is_found: Bool = corrected < LEVEL
    return is_found.reshape(CONTRASTS, METRICS)


def _rates(is_found: Bool, is_real: Bool) -> Rates:
    """Return the rates over data sets. `is_found` has shape (datasets, CONTRASTS, METRICS)."""
    is_false = (is_found & ~is_real).any(axis=(1, 2))
    return Rates(
        None if is_real.all() else float(is_false.mean()),
        float(is_found[:, is_real].mean()) if is_real.any() else None,
    )

"""Simulates how often the confidence intervals contain the true mean."""

from collections.abc import Callable, Mapping

import numpy as np

from mirpipe.records import Float64
from mirpipe.statistics.mean_intervals import intervals, wilson_intervals

SIZES = (5, 9, 11, 20, 50)
"""Values of n."""
SAMPLES = 4000
"""Number of samples per distribution and n. The standard error of a coverage of 95% is 0.3."""
RESAMPLES = 2000

Draw = Callable[[np.random.Generator, tuple[int, int]], Float64]

DISTRIBUTIONS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda random, size: random.normal(size=size), 0.0),
    "uniform": (lambda random, size: random.uniform(-1, 1, size), 0.0),
    "Laplace": (lambda random, size: random.laplace(size=size), 0.0),
    "log-normal, σ = 0.5": (
        lambda random, size: random.lognormal(0, 0.5, size),
        float(np.exp(0.125)),
    ),
    "log-normal, σ = 1": (lambda random, size: random.lognormal(0, 1, size), float(np.exp(0.5))),
    "Beta(8, 2)": (lambda random, size: random.beta(8, 2, size), 0.8),
}
"""For each distribution, a function that draws samples of a shape, and the true mean."""
SHARES = (0.5, 0.8, 0.95)
"""True shares of hits."""


def coverage(draw: Draw, mean: float, n: int) -> float:
    """Return the share of samples of n values whose interval contains the mean.

    Samples without an interval, because all their values are equal, do not count.
    """
    random = np.random.default_rng(n)
    low, high = intervals(list(draw(random, (SAMPLES, n))), resamples=RESAMPLES).T
    return _share_that_contains(low, high, mean)


def coverage_of_resampled(values: Float64, n: int) -> float:
    """Return the coverage for samples drawn with replacement from these values, shape (values,)."""
    return coverage(lambda random, size: random.choice(values, size), float(values.mean()), n)


def coverage_of_share(share: float, n: int) -> float:
    """Return the share of samples of n hits or misses whose interval contains the true share."""
    random = np.random.default_rng(n)
    hits = (random.uniform(size=(SAMPLES, n)) < share).astype(float)
    low, high = wilson_intervals(list(hits)).T
    return _share_that_contains(low, high, share)


def coverage_rows(resampled: Mapping[str, Float64]) -> list[tuple[str, list[float]]]:
    """Return one row per distribution, per metric in `resampled`, and per share of hits.

    Each row has a name, and the coverage for each n in SIZES.
    """
    rows = [
        (name, [coverage(draw, mean, n) for n in SIZES])
        for name, (draw, mean) in DISTRIBUTIONS.items()
    ]
    rows += [
        (f"{name}, resampled", [coverage_of_resampled(values, n) for n in SIZES])
        for name, values in resampled.items()
    ]
    rows += [
        (
            f"hits with a true share of {share} (Wilson)",
            [coverage_of_share(share, n) for n in SIZES],
        )
        for share in SHARES
    ]
    return rows


def _share_that_contains(low: Float64, high: Float64, mean: float) -> float:
    exists = ~np.isnan(low)
    return float(((low <= mean) & (mean <= high))[exists].mean())

"""Intervals equal a plain implementation, contain the mean often enough, and are repeatable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from mirpipe.statistics.mean_intervals import (
    MIN_N,
    RESAMPLES,
    SEED,
    intervals,
    missing_reason,
    wilson_intervals,
)

NUMBERS = st.floats(-1e6, 1e6)
SKEWED_MEAN = np.exp(0.5)
"""Mean of the log-normal distribution with σ = 1."""


def column(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(0, 0.7, n)


def plain_interval(values: np.ndarray, *, seed: int) -> list[float]:
    """Compute the interval one resample at a time."""
    n, mean = len(values), values.mean()
    error = values.std(ddof=1) / np.sqrt(n)
    ts = []
    for drawn in values[np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))]:
        spread = max(drawn.std(ddof=1), 1e-6 * values.std(ddof=1))
        ts.append((drawn.mean() - mean) / (spread / np.sqrt(n)))
    low_t, high_t = np.quantile(ts, [0.025, 0.975])
    bootstrap = mean - high_t * error, mean - low_t * error
    student = stats.t.interval(0.95, n - 1, mean, error)
    most = 2.5 * (student[1] - mean)
    return [
        max(mean - most, min(bootstrap[0], (bootstrap[0] + student[0]) / 2)),
        min(mean + most, max(bootstrap[1], (bootstrap[1] + student[1]) / 2)),
    ]


@pytest.mark.parametrize("n", [5, 9, 30, 301])
def test_intervals_equal_a_plain_implementation_with_the_same_random_numbers(n: int) -> None:
    np.testing.assert_allclose(
        intervals([column(n)]), [plain_interval(column(n), seed=SEED)], rtol=1e-9
    )


@pytest.mark.parametrize("n", [9, 30, 301])
def test_other_random_numbers_change_a_bound_only_within_monte_carlo_error(n: int) -> None:
    [(low, high)] = intervals([column(n)])
    [(other_low, other_high)] = intervals([column(n)], seed=SEED + 1)
    assert [other_low, other_high] == pytest.approx([low, high], abs=0.05 * (high - low))


def test_columns_of_any_lengths_together_give_the_intervals_of_each_alone() -> None:
    columns = [column(n, seed) for seed, n in enumerate([9, 40, 9, 5, 700] * 30)]
    together = intervals(columns)
    alone = np.concatenate([intervals([values]) for values in columns[:5]])
    np.testing.assert_allclose(together[:5], alone, rtol=1e-9)
    assert not np.array_equal(together[0], together[2])


@pytest.mark.parametrize(
    ("n", "reason"), [(0, "no_target"), (1, "too_few_targets"), (4, "too_few_targets"), (5, None)]
)
def test_fewer_than_five_values_have_a_reason_instead_of_an_interval(
    n: int, reason: str | None
) -> None:
    [(low, high)] = intervals([column(n)])
    assert np.isnan([low, high]).tolist() == [reason is not None] * 2
    assert missing_reason(n, low) == reason


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7])
def test_equal_values_have_no_interval(value: float) -> None:
    [(low, high)] = intervals([np.full(7, value)])
    assert np.isnan([low, high]).all()
    assert missing_reason(7, low) == "equal_values"


def test_a_single_different_value_does_not_stretch_the_interval_without_limit() -> None:
    values = np.zeros(9)
    values[0] = 1
    [(low, high)] = intervals([values])
    half_width = stats.t.ppf(0.975, 8) * values.std(ddof=1) / 3
    assert high == pytest.approx(values.mean() + 2.5 * half_width)
    assert low > values.mean() - half_width


def test_bounds_are_limited_to_the_range_of_the_metric() -> None:
    shares = np.array([1.0, 1.0, 1.0, 0.99, 0.9, 1.0])
    [(low, high)] = intervals([shares])
    assert high > 1
    assert intervals([shares, 1 - shares], ranges=[(0, 1), (0, 1)]) == pytest.approx(
        np.array([[low, 1], [0, 1 - low]])
    )
    assert intervals([shares], ranges=[(-np.inf, np.inf)]).tolist() == [[low, high]]


def test_a_value_outside_the_range_extends_it() -> None:
    scores = np.array([9.99, 9.99, 10.05, 9.99, 9.99])
    [(_, high)] = intervals([scores], ranges=[(1, 10)])
    assert scores.mean() <= high <= 10.05


def test_a_column_without_an_interval_stays_without_one_in_a_range() -> None:
    columns = [np.array([]), np.array([0.5, 0.6]), np.ones(9)]
    assert np.isnan(intervals(columns, ranges=[(0, 1)] * 3)).all()


def test_no_columns_give_no_intervals() -> None:
    assert intervals([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("n", "draw", "mean", "goal"),
    [
        (5, np.random.Generator.standard_normal, 0.0, 0.93),
        (9, np.random.Generator.standard_normal, 0.0, 0.93),
        (9, lambda random, size: random.lognormal(0, 1, size), SKEWED_MEAN, 0.88),
    ],
    ids=["5 normal", "9 normal", "9 log-normal"],
)
def test_intervals_contain_the_mean_as_often_as_they_should(n, draw, mean, goal) -> None:
    columns = list(draw(np.random.default_rng(1), size=(1000, n)))
    low, high = intervals(columns, resamples=1000).T
    assert goal <= ((low <= mean) & (high >= mean)).mean() <= 0.98


@given(arrays(np.float64, st.integers(MIN_N, 12), elements=NUMBERS))
def test_an_interval_contains_the_mean_and_is_finite(values: np.ndarray) -> None:
    [(low, high)] = intervals([values], resamples=400)
    if values.std() > 1e-9 * np.abs(values).max():
        assert low < values.mean() < high
        assert np.isfinite([low, high]).all()


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 5), (20, 20), (411, 1000)])
def test_intervals_of_shares_equal_statsmodels(hits: int, n: int) -> None:
    values = np.zeros(n)
    values[:hits] = 1
    expected = proportion_confint(hits, n, method="wilson")
    np.testing.assert_allclose(wilson_intervals([values]), [expected], atol=1e-12)


def test_a_share_of_fewer_than_five_has_no_interval() -> None:
    assert np.isnan(wilson_intervals([np.ones(4)])).all()

"""Bootstrap intervals equal those of scipy, have the stated coverage, and are repeatable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mirpipe.statistics.bootstrap_intervals import RESAMPLES, SEED, intervals

NUMBERS = st.floats(-1e6, 1e6)


def column(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 0.2, n)


def scipy_interval(values: np.ndarray, *, seed: int) -> list[float]:
    interval = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return [float(interval.low), float(interval.high)]


@pytest.mark.parametrize("n", [2, 9, 30, 301])
def test_intervals_equal_scipy_with_the_same_random_numbers(n: int) -> None:
    np.testing.assert_allclose(
        intervals([column(n)]), [scipy_interval(column(n), seed=SEED)], rtol=1e-12
    )


@pytest.mark.parametrize("n", [9, 30, 301])
def test_intervals_equal_scipy_within_monte_carlo_error_with_other_random_numbers(n: int) -> None:
    [(low, high)] = intervals([column(n)])
    scipy_low, scipy_high = scipy_interval(column(n), seed=SEED + 1)
    tolerance = 0.05 * (high - low)
    assert low == pytest.approx(scipy_low, abs=tolerance)
    assert high == pytest.approx(scipy_high, abs=tolerance)


def test_columns_of_any_lengths_together_give_the_intervals_of_each_alone() -> None:
    columns = [column(n, seed) for seed, n in enumerate([9, 40, 9, 2, 700] * 30)]
    together = intervals(columns)
    alone = np.concatenate([intervals([values]) for values in columns[:5]])
    np.testing.assert_allclose(together[:5], alone, rtol=1e-12)
    assert not np.array_equal(together[0], together[2])


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_values_have_no_interval(n: int) -> None:
    assert np.isnan(intervals([column(n), column(3)])).tolist() == [[True, True], [False, False]]


def test_interval_of_a_constant_is_the_constant() -> None:
    assert intervals([np.full(7, 0.1)]).tolist() == [[0.1, 0.1]]


def test_no_columns_give_no_intervals() -> None:
    assert intervals([]).shape == (0, 2)


def test_intervals_of_normal_data_cover_the_mean_in_95_percent_of_cases() -> None:
    columns = list(np.random.default_rng(1).normal(3, 1, (400, 50)))
    low, high = intervals(columns, resamples=1000).T
    assert 0.90 <= ((low <= 3) & (high >= 3)).mean() <= 0.98


@given(arrays(np.float64, st.integers(2, 12), elements=NUMBERS))
def test_interval_contains_the_mean_and_stays_within_the_values(values: np.ndarray) -> None:
    [(low, high)] = intervals([values], resamples=400)
    tolerance = 1e-9 * np.abs(values).max()
    assert values.min() - tolerance <= low <= values.mean() + tolerance
    assert values.mean() - tolerance <= high <= values.max() + tolerance

"""Intervals: those of scipy, of a known distribution, and the same ones every time."""

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


@pytest.mark.parametrize("n", [2, 9, 30, 301])
def test_intervals_are_those_of_scipy(n: int) -> None:
    ours = intervals([column(n)])
    scipys = stats.bootstrap(
        (column(n),),
        np.mean,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    np.testing.assert_allclose(ours, [[scipys.low, scipys.high]], rtol=1e-12)


def test_columns_of_any_length_stand_side_by_side_as_they_do_alone() -> None:
    columns = [column(n, seed) for seed, n in enumerate([9, 40, 9, 2, 700] * 30)]
    together = intervals(columns)
    alone = np.concatenate([intervals([one]) for one in columns[:5]])
    np.testing.assert_allclose(together[:5], alone, rtol=1e-12)
    assert not np.array_equal(together[0], together[2])


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_values_have_no_interval(n: int) -> None:
    assert np.isnan(intervals([column(n), column(3)])).tolist() == [[True, True], [False, False]]


def test_the_interval_of_a_constant_is_the_constant() -> None:
    assert intervals([np.full(7, 0.1)]).tolist() == [[0.1, 0.1]]


def test_nothing_is_asked_and_nothing_answered() -> None:
    assert intervals([]).shape == (0, 2)


def test_intervals_of_a_normal_mean_cover_it_nineteen_times_in_twenty() -> None:
    columns = list(np.random.default_rng(1).normal(3, 1, (400, 50)))
    low, high = intervals(columns, resamples=1000).T
    assert 0.90 <= ((low <= 3) & (high >= 3)).mean() <= 0.98


@given(arrays(np.float64, st.integers(2, 12), elements=NUMBERS))
def test_the_mean_lies_within_and_the_interval_within_the_values(values: np.ndarray) -> None:
    [(low, high)] = intervals([values], resamples=400)
    slack = 1e-9 * np.abs(values).max()
    assert values.min() - slack <= low <= values.mean() + slack
    assert values.mean() - slack <= high <= values.max() + slack

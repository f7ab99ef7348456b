"""Means and standard deviations computed from sums equal those computed from the cosines."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from mirpipe.statistics.cosine_moments import Moments, mean_and_sd


def unit_vectors(seed: int, n: int, dimension: int = 32) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, dimension)) + 0.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 1000), st.integers(1, 7), st.integers(2, 500))
def test_mean_and_sd_equal_numpy_over_all_cosines(
    seed: int, target_count: int, reference_count: int
) -> None:
    targets, references = unit_vectors(seed, target_count), unit_vectors(seed + 1, reference_count)
    mean, sd = mean_and_sd(targets, Moments.empty(32).plus(references))
    cosines = targets.astype(np.float64) @ references.T.astype(np.float64)
    assert_allclose(mean, cosines.mean(axis=1), rtol=1e-12, atol=1e-15)
    assert_allclose(sd, cosines.std(axis=1), rtol=1e-9, atol=1e-12)


def test_sums_after_adding_and_removing_equal_sums_of_the_rest() -> None:
    removed, kept = unit_vectors(3, 300), unit_vectors(4, 200)
    moments = Moments.empty(32).plus(removed).plus(kept).minus(removed)
    direct = Moments.empty(32).plus(kept)
    assert moments.n == direct.n == 200
    assert_allclose(moments.vector_sum, direct.vector_sum, atol=1e-12)
    assert_allclose(moments.outer_sum, direct.outer_sum, atol=1e-12)
    assert_allclose(direct.outer_sum, kept.T.astype(np.float64) @ kept, rtol=1e-6)


def test_sums_are_exactly_zero_after_the_last_vector_is_removed() -> None:
    moments = Moments.empty(32).plus(unit_vectors(5, 100)).minus(unit_vectors(5, 100))
    assert not moments.n
    assert not moments.vector_sum.any()
    assert not moments.outer_sum.any()


def test_equal_references_have_no_spread() -> None:
    references = np.repeat(unit_vectors(6, 1), 1000, axis=0)
    _, sd = mean_and_sd(unit_vectors(7, 5), Moments.empty(32).plus(references))
    assert_array_equal(sd, 0.0)

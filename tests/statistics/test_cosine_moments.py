"""Mean and sd from sums, held against the cosines themselves; and which pairs a sample takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from mirpipe.statistics.cosine_moments import Moments, mean_and_sd, pairs


def units(seed: int, n: int, dimension: int = 32) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, dimension)) + 0.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_mean_and_sd_are_those_of_all_cosines():
    targets, references = units(1, 7), units(2, 500)
    mean, sd = mean_and_sd(targets, Moments.of_nothing(32).plus(references))
    every = targets.astype(np.float64) @ references.T.astype(np.float64)
    assert_allclose(mean, every.mean(axis=1), rtol=1e-12)
    assert_allclose(sd, every.std(axis=1), rtol=1e-9)


def test_sums_follow_what_is_added_and_taken_away():
    there, added = units(3, 300), units(4, 200)
    sums = Moments.of_nothing(32).plus(there).plus(added).minus(there)
    direct = Moments.of_nothing(32).plus(added)
    assert sums.n == direct.n == 200
    assert_allclose(sums.vector_sum, direct.vector_sum, atol=1e-12)
    assert_allclose(sums.outer_sum, direct.outer_sum, atol=1e-12)
    assert_allclose(direct.outer_sum, added.T.astype(np.float64) @ added, rtol=1e-6)


def test_nothing_is_left_of_the_last_vector():
    sums = Moments.of_nothing(32).plus(units(5, 100)).minus(units(5, 100))
    assert not sums.n
    assert not sums.vector_sum.any()
    assert not sums.outer_sum.any()


def test_equal_references_have_no_spread():
    references = np.repeat(units(6, 1), 1000, axis=0)
    _, sd = mean_and_sd(units(7, 5), Moments.of_nothing(32).plus(references))
    assert_array_equal(sd, 0.0)


@given(st.integers(0, 60), st.integers(1, 200))
def test_pairs_are_different_and_as_many_as_may_be(count, limit):
    first, second = pairs(count, limit)
    everything = count * (count - 1) // 2
    chosen = {frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert len(chosen) == len(first)
    assert all(len(pair) == 2 and pair <= set(range(count)) for pair in chosen)
    if everything <= limit:
        assert len(chosen) == everything
    else:
        assert limit - count < len(chosen) <= limit


@pytest.mark.parametrize(("count", "limit"), [(1000, 5000), (447, 100_000), (448, 100_000)])
def test_every_thing_takes_part_equally(count, limit):
    first, second = pairs(count, limit)
    taken = np.bincount(np.concatenate((first, second)), minlength=count)
    assert taken.min() == taken.max()

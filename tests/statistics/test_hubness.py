"""Hubness: counts by hand, skewness as scipy has it."""

import numpy as np
import pytest
from scipy.stats import skew

from mirpipe.statistics.hubness import hubness, occurrences

ANSWERS = np.array([[2, 0, 1], [2, 1, -1], [2, 3, 0]])


def test_occurrences_count_the_first_k_answers_alone() -> None:
    assert occurrences(ANSWERS, 1, 5).tolist() == [0, 0, 3, 0, 0]
    assert occurrences(ANSWERS, 3, 5).tolist() == [2, 2, 3, 1, 0]


def test_largest_and_never_retrieved_are_those_of_the_counts() -> None:
    found = hubness(occurrences(ANSWERS, 3, 5))
    assert (found.largest, found.largest_place) == (3, 2)
    assert found.never_share == pytest.approx(1 / 5)


def test_skewness_equals_scipy() -> None:
    counts = np.random.default_rng(0).poisson(2, 500)
    assert hubness(counts).skewness == pytest.approx(skew(counts))


def test_equal_counts_have_no_skewness() -> None:
    assert hubness(np.array([4, 4, 4])).skewness is None

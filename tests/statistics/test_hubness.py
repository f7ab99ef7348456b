"""Hub counts equal manually calculated values, and skewness equals its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.statistics.hubness import hubness, k_occurrences

MATCHES = np.array([[2, 0, 1], [2, 1, -1], [2, 3, 0]])


def test_occurrences_count_only_the_first_k_matches() -> None:
    assert k_occurrences(MATCHES, 1, 5).tolist() == [0, 0, 3, 0, 0]
    assert k_occurrences(MATCHES, 3, 5).tolist() == [2, 2, 3, 1, 0]


def test_largest_count_and_share_of_references_that_never_match() -> None:
    found = hubness(k_occurrences(MATCHES, 3, 5))
    assert (found.largest, found.largest_place) == (3, 2)
    assert found.never_share == pytest.approx(1 / 5)


@given(arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 1000)))
def test_skewness_equals_its_definition(counts: np.ndarray) -> None:
    deviation = counts - counts.mean()
    found = hubness(counts).skewness
    if np.ptp(counts) == 0:
        assert found is None
    else:
        expected = (deviation**3).mean() / (deviation**2).mean() ** 1.5
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_equal_counts_have_no_skewness() -> None:
    assert hubness(np.array([4, 4, 4])).skewness is None

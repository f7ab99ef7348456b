"""Reciprocal rank fusion, by hand."""

import numpy as np
import pytest

from mirpipe.statistics.reciprocal_rank_fusion import fused


def test_score_is_the_sum_over_rankings_of_one_over_sixty_plus_rank() -> None:
    places, scores = fused([np.array([7, 3, 5]), np.array([3, 9, -1])])
    assert places.tolist() == [3, 7, 9, 5]
    assert scores == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


def test_ties_fall_to_the_lower_place() -> None:
    places, _ = fused([np.array([8, 2]), np.array([2, 8])])
    assert places.tolist() == [2, 8]


def test_nothing_fused_is_nothing() -> None:
    places, scores = fused([np.array([-1]), np.array([-1])])
    assert (len(places), len(scores)) == (0, 0)

"""Reciprocal rank fusion equals manually calculated scores and its definition."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.statistics.reciprocal_rank_fusion import fuse_rankings


def test_score_is_the_sum_over_rankings_of_1_over_60_plus_rank() -> None:
    items, scores = fuse_rankings([np.array([7, 3, 5]), np.array([3, 9, -1])])
    assert items.tolist() == [3, 7, 9, 5]
    assert scores == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


@given(st.lists(st.lists(st.integers(0, 20), unique=True, min_size=1), min_size=1, max_size=4))
def test_scores_equal_the_definition(rankings: list[list[int]]) -> None:
    expected: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            expected[item] += 1 / (60 + rank)
    items, scores = fuse_rankings([np.array(ranking) for ranking in rankings])
    assert dict(zip(items.tolist(), scores.tolist(), strict=True)) == pytest.approx(expected)
    assert (np.diff(scores) <= 0).all()


def test_ties_are_sorted_by_item_number() -> None:
    items, _ = fuse_rankings([np.array([8, 2]), np.array([2, 8])])
    assert items.tolist() == [2, 8]


def test_empty_rankings_give_an_empty_result() -> None:
    items, scores = fuse_rankings([np.array([-1]), np.array([-1])])
    assert (len(items), len(scores)) == (0, 0)

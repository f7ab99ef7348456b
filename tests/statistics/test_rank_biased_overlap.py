"""Rank-biased overlap equals its definition, summed depth by depth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.statistics.rank_biased_overlap import rank_biased_overlap

DEPTH = 6
RANKINGS = st.lists(st.integers(0, 9), min_size=1, max_size=DEPTH, unique=True)


def rbo_by_definition(first: list[int], second: list[int], p: float) -> float:
    depth = min(len(first), len(second))
    shares = [len(set(first[:d]) & set(second[:d])) / d for d in range(1, depth + 1)]
    weighted = sum(share * p**d for d, share in enumerate(shares, start=1))
    return shares[-1] * p**depth + (1 - p) / p * weighted


def padded(ranking: list[int]) -> np.ndarray:
    return np.array([ranking + [-1] * (DEPTH - len(ranking))])


def test_equal_rankings_give_1_and_disjoint_rankings_give_0() -> None:
    rows = np.array([[4, 2, 9]])
    assert rank_biased_overlap(rows, rows) == pytest.approx([1.0])
    assert rank_biased_overlap(rows, np.array([[1, 3, 5]])) == pytest.approx([0.0])


def test_swapped_first_ranks_lower_rbo_by_the_weight_of_the_first_depth() -> None:
    found = rank_biased_overlap(np.array([[1, 2, 3]]), np.array([[2, 1, 3]]), p=0.9)
    assert found == pytest.approx([1 - 0.1])


@given(RANKINGS, RANKINGS, st.floats(0.1, 0.99))
def test_rankings_of_any_lengths_equal_the_definition(
    first: list[int], second: list[int], p: float
) -> None:
    found = rank_biased_overlap(padded(first), padded(second), p=p)
    assert found == pytest.approx([rbo_by_definition(first, second, p)])


def test_many_long_rankings_equal_the_definition() -> None:
    random = np.random.default_rng(0)
    first = np.array([random.permutation(60)[:50] for _ in range(20)])
    second = np.array([random.permutation(60)[:50] for _ in range(20)])
    expected = [
        rbo_by_definition(a, b, 0.9) for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    assert rank_biased_overlap(first, second) == pytest.approx(expected)


def test_shorter_ranking_sets_the_depth_and_an_empty_ranking_has_no_rbo() -> None:
    first = np.array([[5, 6, -1, -1], [-1, -1, -1, -1]])
    second = np.array([[6, 7, 5, 8], [1, 2, 3, 4]])
    found = rank_biased_overlap(first, second, p=0.9)
    assert found[0] == pytest.approx(rbo_by_definition([5, 6], [6, 7], 0.9))
    assert np.isnan(found[1])

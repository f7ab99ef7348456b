"""Rank-biased overlap, against its definition summed set by set."""

import numpy as np
import pytest

from mirpipe.statistics.rank_biased_overlap import rbo


def directly(first: list[int], second: list[int], p: float) -> float:
    depth = min(len(first), len(second))
    shares = [len(set(first[:d]) & set(second[:d])) / d for d in range(1, depth + 1)]
    weighted = sum(share * p**d for d, share in enumerate(shares, start=1))
    return shares[-1] * p**depth + (1 - p) / p * weighted


def test_equal_rankings_have_one_and_disjoint_ones_nothing() -> None:
    rows = np.array([[4, 2, 9]])
    assert rbo(rows, rows) == pytest.approx([1.0])
    assert rbo(rows, np.array([[1, 3, 5]])) == pytest.approx([0.0])


def test_swapped_first_ranks_cost_what_the_formula_says() -> None:
    found = rbo(np.array([[1, 2, 3]]), np.array([[2, 1, 3]]), p=0.9)
    assert found == pytest.approx([1 - 0.1])  # the first depth alone, of weight 1 - p


def test_random_rankings_equal_the_definition() -> None:
    random = np.random.default_rng(0)
    first = np.array([random.permutation(60)[:50] for _ in range(20)])
    second = np.array([random.permutation(60)[:50] for _ in range(20)])
    expected = [directly(a, b, 0.9) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    assert rbo(first, second) == pytest.approx(expected)


def test_shorter_ranking_gives_the_depth_and_an_empty_one_no_number() -> None:
    first = np.array([[5, 6, -1, -1], [-1, -1, -1, -1]])
    second = np.array([[6, 7, 5, 8], [1, 2, 3, 4]])
    found = rbo(first, second, p=0.9)
    assert found[0] == pytest.approx(directly([5, 6], [6, 7], 0.9))
    assert np.isnan(found[1])

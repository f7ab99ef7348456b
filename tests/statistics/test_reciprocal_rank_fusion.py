"""Reciprocal rank fusion equals manually calculated scores and its definition."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.statistics.reciprocal_rank_fusion import FusedRanking, add_ranking, rank_by_score


def fuse(rankings: list[list[int]], items: int) -> FusedRanking:
    """Return the fused ranking of one query."""
    scores = np.zeros((1, items))
    for ranking in rankings:
        add_ranking(scores[0], np.array(ranking, np.int64))
    return rank_by_score(scores, kept=items)


def test_score_is_the_sum_over_rankings_of_1_over_60_plus_rank() -> None:
    fused = fuse([[7, 3, 5], [3, 9]], 10)
    assert fused.places[0, :4].tolist() == [3, 7, 9, 5]
    assert fused.scores[0, :5] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63, 0])
    assert fused.ranked_n.tolist() == [4]


@given(st.lists(st.lists(st.integers(0, 200), unique=True), max_size=4))
def test_order_equals_that_of_exact_fractions(rankings: list[list[int]]) -> None:
    expected = [Fraction(0) for _ in range(201)]
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            expected[item] += Fraction(1, 60 + rank)
    fused = fuse(rankings, 201)
    assert fused.places[0].tolist() == sorted(range(201), key=lambda item: (-expected[item], item))
    assert fused.ranked_n[0] == sum(score > 0 for score in expected)
    assert fused.scores[0] == pytest.approx(sorted(map(float, expected), reverse=True))


def test_equal_sums_are_ties_in_whatever_order_they_are_added() -> None:
    # Six items have the ranks 1, 2 and 7 in three rankings, each in another order.
    orders = list(permutations([1, 2, 7]))
    scores = np.zeros((1, 6))
    for ranking in range(3):
        scores[0] += [1 / (60 + ranks[ranking]) for ranks in orders]
    assert len(set(scores[0].tolist())) > 1  # The sums differ in their last bit.
    fused = rank_by_score(scores, kept=6)
    assert fused.places.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert len(set(fused.scores[0].tolist())) == 1


def test_neighbouring_ranks_at_the_end_of_a_large_ranking_are_no_ties() -> None:
    scores = np.zeros((1, 1_000_000))
    ranking = np.random.default_rng(0).permutation(1_000_000)
    add_ranking(scores[0], ranking)
    assert (rank_by_score(scores, kept=1).places[0] == ranking).all()


def test_without_rankings_no_item_is_ranked() -> None:
    fused = fuse([[], []], 3)
    assert fused.ranked_n.tolist() == [0]
    assert fused.scores.tolist() == [[0.0, 0.0, 0.0]]

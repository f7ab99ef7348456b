"""Leaving references out equals a ranking that never contained them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.records import Int64
from mirpipe.statistics.label_relevance import Relevance, find_relevant, label_sets
from mirpipe.statistics.left_out_ranks import left_out_ranks, moved_up, reorder_without
from mirpipe.statistics.precision_mrr_map import (
    average_precision,
    precision_at_k,
    reciprocal_rank,
)


def test_ranks_below_move_up_and_left_out_ranks_vanish() -> None:
    moved = moved_up(np.array([0, 2, 3, 7]), np.array([1, 3, 4]))
    assert moved.tolist() == [0, 1, 4]


def test_only_ranked_references_are_left_out() -> None:
    places = np.array([[2, 0, 1], [1, 2, 0], [0, 1, 2]])
    found = left_out_ranks(places, np.array([3, 2, 3]), [np.array([1, 2]), np.array([0]), None])
    assert {row: ranks.tolist() for row, ranks in found.items()} == {0: [0, 2]}


def test_reordered_ranks_are_counted_without_what_is_left_out() -> None:
    order = np.array([[3, 1, 0, 2], [3, 1, 0, 2]])
    # Rank 1 is left out. Rank 4 moves up and stays behind the reordered ranks.
    assert reorder_without(order, {0: np.array([1, 9])}).tolist() == [[2, 0, 1, 3], [3, 1, 0, 2]]


@st.composite
def rankings(draw: st.DrawFn) -> tuple[Int64, int, list[str], str, list[int]]:
    """Return a ranking, its length, the labels, the query's label, and what is left out."""
    count = draw(st.integers(1, 12))
    order = np.array(draw(st.permutations(range(count))))
    labels = draw(st.lists(st.sampled_from("ab"), min_size=count, max_size=count))
    left_out = draw(st.lists(st.integers(0, count - 1), unique=True))
    return order, draw(st.integers(0, count)), labels, draw(st.sampled_from("ab")), left_out


def measures(relevance: Relevance) -> list[list[float]]:
    values = [precision_at_k(relevance, k) for k in (1, 2, 3)]
    values += [reciprocal_rank(relevance), average_precision(relevance), relevance.total]
    return [value.tolist() for value in values]


@given(rankings(), st.integers(3, 6))
def test_measures_equal_those_of_a_ranking_without_what_is_left_out(
    ranking: tuple[Int64, int, list[str], str, list[int]], kept: int
) -> None:
    order, ranked_n, labels, label, left_out = ranking
    sets = label_sets([*labels, label])
    references, query = sets[: len(labels)], sets[len(labels) :]
    ranks = left_out_ranks(order[None], np.array([ranked_n]), [np.array(left_out, int)])
    [with_all, found] = find_relevant(
        order[None], np.array([ranked_n]), references, query, kept=kept, left_out=[{}, ranks]
    )
    remaining = [place for place in order[:ranked_n] if place not in left_out]
    # The padding keeps the shape. It is not ranked, so it does not count.
    padded = np.array([remaining + [0] * (len(order) - len(remaining))], int)
    [expected] = find_relevant(padded, np.array([len(remaining)]), references, query, kept=kept)
    np.testing.assert_equal(measures(found), measures(expected))
    [unchanged] = find_relevant(order[None], np.array([ranked_n]), references, query, kept=kept)
    np.testing.assert_equal(measures(with_all), measures(unchanged))

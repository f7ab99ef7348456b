"""Precision at k, reciprocal rank and average precision: by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mirpipe.statistics.label_relevance_metrics import (
    UNLABELLED,
    Relevance,
    average_precision,
    joined,
    precision_at,
    reciprocal_rank,
    relevance,
)

NOT_OWN = np.array([False])


def by_hand(codes: list[int], *, kept: int, own: bool = False) -> Relevance:
    """One query with code 1 whose ranking meets these codes."""
    count = len(codes)
    return relevance(
        np.arange(count)[None], np.array([own]), np.array(codes), np.array([1]), kept=kept
    )


@pytest.mark.parametrize("kept", [1, 2, 4, 6])
def test_known_ranking_gives_the_numbers_worked_out_by_hand(kept: int) -> None:
    found = by_hand([0, 1, 0, 1, 1, 0], kept=kept)  # relevant at ranks 2, 4 and 5
    assert average_precision(found) == pytest.approx([(1 / 2 + 2 / 4 + 3 / 5) / 3])
    assert reciprocal_rank(found) == pytest.approx([1 / 2])
    if kept >= 4:
        assert precision_at(found, 1) == pytest.approx([0])
        assert precision_at(found, 4) == pytest.approx([2 / 4])


def test_precision_divides_by_k_where_the_library_is_smaller() -> None:
    assert precision_at(by_hand([1, 1], kept=50), 10) == pytest.approx([0.2])


def test_own_reference_is_not_relevant() -> None:
    found = by_hand([0, 1, 1], kept=2, own=True)
    assert found.total.tolist() == [1]
    assert average_precision(found) == pytest.approx([1 / 2])


def test_query_without_label_or_without_partner_is_not_measured() -> None:
    places = np.tile(np.arange(3), (3, 1))
    codes = np.array([1, UNLABELLED, 2])
    found = relevance(places, np.zeros(3, bool), codes, np.array([1, UNLABELLED, 7]), kept=2)
    assert found.measured.tolist() == [True, False, False]
    assert np.isnan(average_precision(found)[1:]).all()


def test_average_precision_equals_scikit_learn_over_full_rankings() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 4, 300)
    places = np.array([random.permutation(300) for _ in range(20)])
    wanted = random.integers(0, 4, 20)
    found = relevance(places, np.zeros(20, bool), codes, wanted, kept=50)
    for row in range(20):
        truth = codes[places[row]] == wanted[row]
        assert average_precision(found)[row] == pytest.approx(
            average_precision_score(truth, -np.arange(300))
        )


def test_reordering_the_head_is_as_if_the_ranking_had_been_so() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 3, 40)
    places = np.array([random.permutation(40) for _ in range(8)])
    wanted = random.integers(0, 3, 8)
    order = np.array([random.permutation(10) for _ in range(8)])
    other = places.copy()
    other[:, :10] = np.take_along_axis(places[:, :10], order, axis=1)
    own = np.zeros(8, bool)
    moved = relevance(places, own, codes, wanted, kept=10).reordered(order)
    direct = relevance(other, own, codes, wanted, kept=10)
    for measure in (average_precision, reciprocal_rank):
        assert measure(moved) == pytest.approx(measure(direct))


def test_parts_are_joined_in_order() -> None:
    first, second = by_hand([1, 0, 1], kept=2), by_hand([0, 1, 0], kept=2)
    assert joined([first, second]).total.tolist() == [2, 1]
    assert reciprocal_rank(joined([first, second])).tolist() == [1.0, 0.5]

"""CSLS: the formula, the resulting order, and the agreement with a full CSLS ranking."""

import numpy as np
import pytest

from mirpipe.statistics import csls as module
from mirpipe.statistics.csls import (
    agreement_with_full,
    compare_rankings,
    csls,
    mean_neighbour_cosines,
    rerank_order,
)
from tests.support.synthetic_library import unit


def unit_vectors(n: int, dimension: int = 6, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, dimension))
    return np.array([unit(row) for row in rows])


def test_r_is_the_mean_cosine_of_the_k_nearest_without_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MAX_PRODUCTS", 100)
    references = unit_vectors(40)
    means = mean_neighbour_cosines(references, references, own=np.arange(40), k=10)
    for row, vector in enumerate(references.astype(np.float64)):
        others = np.delete(references.astype(np.float64) @ vector, row)
        assert means[row] == pytest.approx(np.sort(others)[-10:].mean())


def test_r_is_over_all_references_if_there_are_fewer_than_k() -> None:
    references = unit_vectors(4)
    means = mean_neighbour_cosines(references, references, own=np.array([-1, 1, 2, 3]), k=10)
    cosines = references.astype(np.float64) @ references.T.astype(np.float64)
    assert means[0] == pytest.approx(cosines[0].mean())
    assert means[1] == pytest.approx(np.delete(cosines[1], 1).mean())


def test_r_is_undefined_if_there_is_no_other_reference() -> None:
    single = unit_vectors(1)
    assert np.isnan(mean_neighbour_cosines(single, single, own=np.array([0]))).all()


def test_hub_falls_below_a_match_with_nearly_the_same_cosine() -> None:
    cosines = np.array([[0.9, 0.89]])
    scores = csls(cosines, np.array([0.8]), np.array([[0.95, 0.5]]))
    assert scores == pytest.approx(np.array([[0.05, 0.48]]))
    assert rerank_order(scores, np.array([[7, 3]])).tolist() == [[1, 0]]


def test_ties_are_sorted_by_place_and_missing_references_come_last() -> None:
    order = rerank_order(np.array([[0.5, 0.5, 0.9]]), np.array([[8, 3, -1]]))
    assert order.tolist() == [[1, 0, 2]]


def test_reranking_all_references_equals_the_full_computation() -> None:
    found = agreement_with_full(
        unit_vectors(9, seed=1), unit_vectors(30), own=np.full(9, -1), kept=30
    )
    assert (found.top1_equal, found.top10_overlap) == (1.0, 1.0)


def test_agreement_equals_a_direct_computation() -> None:
    targets, references = unit_vectors(9, seed=1), unit_vectors(30)
    found = agreement_with_full(targets, references, own=np.full(9, -1), kept=12, k=5)
    cosines = targets.astype(np.float64) @ references.T.astype(np.float64)
    reference_r = mean_neighbour_cosines(references, references, own=np.arange(30), k=5)
    equal, overlap = 0, 0.0
    for row in range(9):
        scores = 2 * cosines[row] - reference_r
        full = sorted(range(30), key=lambda place: -scores[place])
        kept = sorted(range(30), key=lambda place: -cosines[row][place])[:12]
        reranked = sorted(kept, key=lambda place: -scores[place])
        equal += full[0] == reranked[0]
        overlap += len(set(full[:10]) & set(reranked[:10])) / 10
    assert found.top1_equal == pytest.approx(equal / 9)
    assert found.top10_overlap == pytest.approx(overlap / 9)
    assert found.top10_overlap < 1


def test_own_reference_does_not_count_in_the_agreement() -> None:
    references = unit_vectors(30)
    found = agreement_with_full(references[:5], references, own=np.arange(5), kept=29)
    assert (found.top1_equal, found.top10_overlap) == (1.0, 1.0)


def test_comparison_ignores_the_order_below_rank_1_and_missing_references() -> None:
    first = np.array([[1, 2, 3], [4, 5, -1]])
    second = np.array([[1, 3, 9], [5, 4, -1]])
    found = compare_rankings(first, second)
    assert found.top1_equal == pytest.approx(1 / 2)
    assert found.top10_overlap == pytest.approx((2 / 3 + 1) / 2)


def test_own_reference_does_not_replace_a_neighbour_with_a_negative_cosine() -> None:
    references = np.array([unit([1, 0]), unit([-1, 0]), unit([-0.8, 0.6])])
    means = mean_neighbour_cosines(references[:1], references, own=np.array([0]), k=1)
    assert means == pytest.approx(-0.8)

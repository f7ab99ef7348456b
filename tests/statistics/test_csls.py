"""CSLS by its formula, its order, and how it agrees with ranking everything."""

import numpy as np
import pytest

from mirpipe.statistics import csls as module
from mirpipe.statistics.csls import agreement_with_full, compared, csls, local_scale, reranked
from tests.support.synthetic_library import unit


def cloud(n: int, dimension: int = 6, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, dimension))
    return np.array([unit(row) for row in rows])


def test_scale_is_the_mean_of_the_k_nearest_without_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS", 100)
    references = cloud(40)
    found = local_scale(references, references, own=np.arange(40), k=10)
    for row, one in enumerate(references.astype(np.float64)):
        others = np.delete(references.astype(np.float64) @ one, row)
        assert found[row] == pytest.approx(np.sort(others)[-10:].mean())


def test_scale_is_over_all_there_are_in_a_small_library() -> None:
    references = cloud(4)
    found = local_scale(references, references, own=np.array([-1, 1, 2, 3]), k=10)
    cosines = references.astype(np.float64) @ references.T.astype(np.float64)
    assert found[0] == pytest.approx(cosines[0].mean())
    assert found[1] == pytest.approx(np.delete(cosines[1], 1).mean())


def test_alone_in_the_library_there_is_no_scale() -> None:
    one = cloud(1)
    assert np.isnan(local_scale(one, one, own=np.array([0]))).all()


def test_hub_falls_below_an_answer_that_is_as_near() -> None:
    cosines = np.array([[0.9, 0.89]])
    scores = csls(cosines, np.array([0.8]), np.array([[0.95, 0.5]]))
    assert scores == pytest.approx(np.array([[0.05, 0.48]]))
    assert reranked(scores, np.array([[7, 3]])).tolist() == [[1, 0]]


def test_ties_fall_to_the_lower_place_and_nobody_comes_last() -> None:
    order = reranked(np.array([[0.5, 0.5, 0.9]]), np.array([[8, 3, -1]]))
    assert order.tolist() == [[1, 0, 2]]


def test_keeping_every_reference_agrees_wholly_with_the_full_computation() -> None:
    found = agreement_with_full(cloud(9, seed=1), cloud(30), own=np.full(9, -1), kept=30)
    assert (found.top1_equal, found.top10_overlap) == (1.0, 1.0)


def test_agreement_is_that_of_a_direct_computation() -> None:
    targets, references = cloud(9, seed=1), cloud(30)
    found = agreement_with_full(targets, references, own=np.full(9, -1), kept=12, k=5)
    cosines = targets.astype(np.float64) @ references.T.astype(np.float64)
    scale = local_scale(references, references, own=np.arange(30), k=5)
    equal, shared = 0, 0.0
    for row in range(9):
        scores = 2 * cosines[row] - scale
        full = sorted(range(30), key=lambda place: -scores[place])
        kept = sorted(range(30), key=lambda place: -cosines[row][place])[:12]
        near = sorted(kept, key=lambda place: -scores[place])
        equal += full[0] == near[0]
        shared += len(set(full[:10]) & set(near[:10])) / 10
    assert found.top1_equal == pytest.approx(equal / 9)
    assert found.top10_overlap == pytest.approx(shared / 9)
    assert found.top10_overlap < 1


def test_own_reference_takes_no_part_in_the_agreement() -> None:
    references = cloud(30)
    found = agreement_with_full(references[:5], references, own=np.arange(5), kept=29)
    assert (found.top1_equal, found.top10_overlap) == (1.0, 1.0)


def test_comparison_ignores_the_order_below_the_first_and_who_is_not_there() -> None:
    first = np.array([[1, 2, 3], [4, 5, -1]])
    second = np.array([[1, 3, 9], [5, 4, -1]])
    found = compared(first, second)
    assert found.top1_equal == pytest.approx(1 / 2)
    assert found.top10_overlap == pytest.approx((2 / 3 + 1) / 2)


def test_itself_does_not_stand_in_for_a_nearest_that_points_away() -> None:
    references = np.array([unit([1, 0]), unit([-1, 0]), unit([-0.8, 0.6])])
    assert local_scale(references[:1], references, own=np.array([0]), k=1) == pytest.approx(-0.8)

"""KAD equals the sum over all pairs and the value computed with scikit-learn's kernel."""

from itertools import combinations, permutations, product

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from mirpipe.statistics.kernel_audio_distance import ReferenceKernel, kernel_distance


def unit_vectors(n: int, *, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, 5))
    rows[:, 0] += shift
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def kernel_of(references: np.ndarray) -> ReferenceKernel:
    reference = ReferenceKernel.of(references)
    assert reference is not None
    return reference


def distance_pair_by_pair(clips: np.ndarray, references: np.ndarray) -> tuple[float, float]:
    """Return KAD and the kernel bandwidth, computed pair by pair."""
    x, y = references.astype(np.float64), clips.astype(np.float64)
    bandwidth = float(np.median([np.linalg.norm(a - b) for a, b in combinations(x, 2)]))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-(np.linalg.norm(a - b) ** 2) / (2 * bandwidth**2)))

    within = [np.mean([kernel(a, b) for a, b in permutations(rows, 2)]) for rows in (x, y)]
    across = np.mean([kernel(a, b) for a, b in product(x, y)])
    return float(sum(within) - 2 * across), bandwidth


def test_distance_equals_the_sum_over_all_pairs() -> None:
    references, clips = unit_vectors(21), unit_vectors(9, shift=1.0, seed=1)
    reference = kernel_of(references)
    expected, bandwidth = distance_pair_by_pair(clips, references)
    assert reference.bandwidth == pytest.approx(bandwidth)
    assert kernel_distance(clips, reference) == pytest.approx(expected)


def test_distance_equals_the_kernel_of_scikit_learn() -> None:
    references, clips = unit_vectors(300), unit_vectors(80, shift=0.5, seed=1)
    reference = kernel_of(references)
    x, y = references.astype(np.float64), clips.astype(np.float64)
    gamma = 1 / (2 * reference.bandwidth**2)

    def mean_of_different(rows: np.ndarray) -> float:
        kernel = rbf_kernel(rows, gamma=gamma)
        return float((kernel.sum() - np.trace(kernel)) / (len(rows) * (len(rows) - 1)))

    expected = mean_of_different(x) + mean_of_different(y) - 2 * rbf_kernel(y, x, gamma).mean()
    assert kernel_distance(clips, reference) == pytest.approx(expected, abs=1e-12)


def test_distance_of_equal_distributions_is_about_zero_and_may_be_negative() -> None:
    reference = kernel_of(unit_vectors(300))
    distances = [kernel_distance(unit_vectors(60, seed=seed), reference) for seed in range(1, 21)]
    assert abs(np.mean(distances)) < 0.003
    assert min(distances) < 0
    assert kernel_distance(unit_vectors(60, shift=2.0, seed=1), reference) > 0.1


def test_references_without_spread_give_no_distance() -> None:
    assert ReferenceKernel.of(unit_vectors(1)) is None
    assert ReferenceKernel.of(np.repeat(unit_vectors(1), 3, axis=0)) is None


def test_one_clip_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least two clips, not 1"):
        kernel_distance(unit_vectors(1), kernel_of(unit_vectors(5)))

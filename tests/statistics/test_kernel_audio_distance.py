"""KAD against sums over all pairs, and what it says of equal and of distant sets."""

from itertools import combinations, permutations, product

import numpy as np
import pytest

from mirpipe.statistics.kernel_audio_distance import ReferenceKernel, kernel_distance


def cloud(n: int, *, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, 5))
    rows[:, 0] += shift
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def directly(clips: np.ndarray, references: np.ndarray) -> tuple[float, float]:
    """KAD and bandwidth, pair by pair."""
    x, y = references.astype(np.float64), clips.astype(np.float64)
    bandwidth = float(np.median([np.linalg.norm(a - b) for a, b in combinations(x, 2)]))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-(np.linalg.norm(a - b) ** 2) / (2 * bandwidth**2)))

    within = [np.mean([kernel(a, b) for a, b in permutations(rows, 2)]) for rows in (x, y)]
    across = np.mean([kernel(a, b) for a, b in product(x, y)])
    return float(sum(within) - 2 * across), bandwidth


def test_distance_equals_the_sum_over_all_pairs() -> None:
    references, clips = cloud(21), cloud(9, shift=1.0, seed=1)
    reference = ReferenceKernel.of(references)
    assert reference is not None
    expected, bandwidth = directly(clips, references)
    assert reference.bandwidth == pytest.approx(bandwidth)
    assert kernel_distance(clips, reference) == pytest.approx(expected)


def test_sets_of_one_distribution_are_nothing_apart_and_may_be_less() -> None:
    reference = ReferenceKernel.of(cloud(300))
    assert reference is not None
    found = [kernel_distance(cloud(60, seed=seed), reference) for seed in range(1, 21)]
    assert abs(np.mean(found)) < 0.003
    assert min(found) < 0
    assert kernel_distance(cloud(60, shift=2.0, seed=1), reference) > 0.1


def test_reference_without_spread_gives_no_distance() -> None:
    assert ReferenceKernel.of(cloud(1)) is None
    assert ReferenceKernel.of(np.repeat(cloud(1), 3, axis=0)) is None


def test_one_clip_is_no_set() -> None:
    reference = ReferenceKernel.of(cloud(5))
    assert reference is not None
    with pytest.raises(ValueError, match="two clips"):
        kernel_distance(cloud(1), reference)

"""FAD equals the formula with scipy's matrix square root; FAD∞ is less biased for small sets."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from mirpipe.statistics.cosine_moments import Moments
from mirpipe.statistics.frechet_audio_distance import (
    MIN_CLIPS,
    ReferenceNormal,
    _draw_estimate,
    frechet_distance,
    frechet_infinity,
    simulate_bias,
)


def vectors(n: int, dimension: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).standard_normal((dimension, dimension))
    return (random.standard_normal((n, dimension)) @ mixing / dimension).astype(np.float32)


def normal_of(rows: np.ndarray) -> ReferenceNormal:
    normal = ReferenceNormal.of(Moments.empty(rows.shape[1]).plus(rows))
    assert normal is not None
    return normal


def distance_with_sqrtm(clips: np.ndarray, references: np.ndarray) -> float:
    first, second = clips.astype(np.float64), references.astype(np.float64)
    a, b = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    squared_distance = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return float(squared_distance + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


@pytest.mark.parametrize("clips", [40, 12])  # more clips than dimensions, and fewer
def test_distance_equals_the_formula_with_scipys_matrix_root(clips: int) -> None:
    references, generated = vectors(90, 20, 0), 0.3 + vectors(clips, 20, 1)
    found = frechet_distance(generated, normal_of(references))
    assert found == pytest.approx(distance_with_sqrtm(generated, references), abs=1e-5)


def test_distance_of_a_set_to_itself_is_zero() -> None:
    references = vectors(90, 20, 0)
    assert frechet_distance(references, normal_of(references)) == pytest.approx(0, abs=1e-9)


def test_infinity_is_closer_to_the_true_distance_than_the_plain_distance() -> None:
    reference = normal_of(vectors(4000, 8, 0))
    plain, infinite = [], []
    for seed in range(1, 6):
        clips = vectors(
            80, 8, seed
        )  # Both sets have the same distribution, so the true distance is 0.
        plain.append(frechet_distance(clips, reference))
        infinite.append(frechet_infinity(clips, reference))
    assert abs(np.mean(infinite)) < np.mean(plain) / 3


def test_infinity_is_the_same_in_every_run() -> None:
    reference, clips = normal_of(vectors(100, 8, 0)), vectors(30, 8, 1)
    assert frechet_infinity(clips, reference) == frechet_infinity(clips, reference)


def test_too_few_clips_or_references_give_no_number() -> None:
    with pytest.raises(ValueError, match="needs at least 8 clips, not 7"):
        frechet_infinity(vectors(MIN_CLIPS - 1, 8, 1), normal_of(vectors(100, 8, 0)))
    assert ReferenceNormal.of(Moments.empty(8).plus(vectors(1, 8, 0))) is None


def test_the_simulated_bias_is_that_of_sets_with_the_references_distribution() -> None:
    random = np.random.default_rng(3)
    reference = normal_of(random.standard_normal((4000, 40)) * np.linspace(1, 0.1, 40))
    bias = simulate_bias(50, reference, 4000)
    drawn = [
        (random.standard_normal((50, 40)) * np.linspace(1, 0.1, 40)).astype(np.float32)
        for _ in range(12)
    ]
    values = [frechet_infinity(clips, reference) for clips in drawn]
    assert np.mean(values) == pytest.approx(bias.mean, abs=0.25 * abs(bias.mean) + 0.05)
    assert bias.highest > bias.mean
    moved = frechet_infinity(drawn[0] + np.float32(0.3), reference)
    assert moved > bias.highest


@pytest.mark.slow
def test_the_bias_falls_with_the_number_of_clips() -> None:
    reference = normal_of(np.random.default_rng(4).standard_normal((2000, 60)))
    few, many = (simulate_bias(n, reference, 2000) for n in (50, 200))
    assert abs(many.mean) < abs(few.mean) / 3


@pytest.mark.slow
def test_equal_distributions_rarely_exceed_the_simulated_bias() -> None:
    dimension, references = 40, 400
    above = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        reference = normal_of(random.standard_normal((references, dimension)))
        clips = random.standard_normal((50, dimension)).astype(np.float32)
        bias = simulate_bias(50, reference, references)
        above += frechet_infinity(clips, reference) > bias.highest
    assert above <= 3  # One of 20 is expected.


def test_an_estimate_from_few_vectors_has_their_rank() -> None:
    reference = normal_of(np.random.default_rng(5).standard_normal((500, 30)))
    few = _draw_estimate(reference, 10, np.random.default_rng(6))
    many = _draw_estimate(reference, 100_000, np.random.default_rng(6))
    assert np.linalg.matrix_rank(few.root, tol=1e-6) == 9
    np.testing.assert_allclose(many.root, reference.root, atol=0.02)
    assert many.trace == pytest.approx(reference.trace, rel=0.02)

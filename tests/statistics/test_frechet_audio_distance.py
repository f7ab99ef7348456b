"""FAD against scipy's square root of a matrix, and FAD∞ without the bias of small sets."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from mirpipe.statistics.cosine_moments import Moments
from mirpipe.statistics.frechet_audio_distance import (
    FEWEST,
    ReferenceNormal,
    frechet_distance,
    frechet_infinity,
)


def cloud(n: int, dimension: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).standard_normal((dimension, dimension))
    return (random.standard_normal((n, dimension)) @ mixing / dimension).astype(np.float32)


def normal(rows: np.ndarray) -> ReferenceNormal:
    found = ReferenceNormal.of(Moments.of_nothing(rows.shape[1]).plus(rows))
    assert found is not None
    return found


def directly(clips: np.ndarray, references: np.ndarray) -> float:
    first, second = clips.astype(np.float64), references.astype(np.float64)
    a, b = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    apart = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return float(apart + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


@pytest.mark.parametrize("clips", [40, 12])  # more than there are dimensions, and fewer
def test_distance_equals_the_formula_with_scipys_root(clips: int) -> None:
    references, generated = cloud(90, 20, 0), 0.3 + cloud(clips, 20, 1)
    found = frechet_distance(generated, normal(references))
    assert found == pytest.approx(directly(generated, references), abs=1e-5)


def test_set_is_nothing_apart_from_itself() -> None:
    references = cloud(90, 20, 0)
    assert frechet_distance(references, normal(references)) == pytest.approx(0, abs=1e-9)


def test_infinity_is_nearer_to_the_truth_than_the_plain_distance() -> None:
    reference = normal(cloud(4000, 8, 0))
    plain, infinite = [], []
    for seed in range(1, 6):
        clips = cloud(80, 8, seed)  # of the same distribution: the truth is nearly nothing
        plain.append(frechet_distance(clips, reference))
        infinite.append(frechet_infinity(clips, reference))
    assert abs(np.mean(infinite)) < np.mean(plain) / 3


def test_infinity_is_the_same_every_time() -> None:
    reference, clips = normal(cloud(100, 8, 0)), cloud(30, 8, 1)
    assert frechet_infinity(clips, reference) == frechet_infinity(clips, reference)


def test_few_clips_or_references_give_no_number() -> None:
    with pytest.raises(ValueError, match="wants 8 clips"):
        frechet_infinity(cloud(FEWEST - 1, 8, 1), normal(cloud(100, 8, 0)))
    assert ReferenceNormal.of(Moments.of_nothing(8).plus(cloud(1, 8, 0))) is None

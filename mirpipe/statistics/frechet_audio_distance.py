"""FAD and FAD∞: the Fréchet distance between clips and references, as normal distributions.

FAD: Kilgour et al., Fréchet Audio Distance (arXiv 1812.08466). A set of n clips has a bias of about
c / n. FAD∞ removes it: it is the intercept of a line through the FAD of subsets, over 1 / n.
Sources: Chong and Forsyth, Effectively Unbiased FID (CVPR 2020); Gui et al., Adapting Fréchet Audio
Distance (arXiv 2311.01616).

Why not the library fadtk: see docs/adr/0011-own-code-for-kad-and-fad.md. Why not
scipy.linalg.sqrtm: FAD∞ needs about 300 distances, and each (200 clips, 512 dimensions) takes 1 %
of the time here.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64
from mirpipe.statistics.cosine_moments import Moments

MIN_CLIPS = 8
"""Smallest number of clips for which FAD∞ is defined."""
SUBSET_SIZES = 15
"""Number of subset sizes on the line, from a quarter of the clips to all clips."""
SUBSETS_PER_SIZE = 20
"""Number of subsets of each size. There are fewer large subsets, see _MAX_ROWS_PER_SIZE."""
_MAX_ROWS_PER_SIZE = 20_000
"""Largest number of clips in all subsets of one size together."""


@dataclass(frozen=True)
class ReferenceNormal:
    """The normal distribution of the reference vectors."""

    mean: Float64
    """Mean of the vectors, shape (D,)."""
    root: Float64
    """Square root of the covariance matrix, shape (D, D)."""
    trace: float
    """Trace of the covariance matrix."""

    @classmethod
    def of(cls, moments: Moments) -> "ReferenceNormal | None":
        """Return the distribution of the references, or None if there are fewer than two."""
        if moments.n < 2:
            return None
        mean = moments.vector_sum / moments.n
        covariance = (moments.outer_sum - moments.n * np.outer(mean, mean)) / (moments.n - 1)
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0.0)  # Negative eigenvalues are rounding errors.
        return cls(mean, (vectors * np.sqrt(values)) @ vectors.T, float(values.sum()))


def frechet_distance(clips: Float32, reference: ReferenceNormal) -> float:
    """Return the FAD of n ≥ 2 clips: 0 for equal distributions, without an upper bound.

    `clips` has shape (n, D), float32. Covariances are divided by n − 1. The trace of the square
    root of the product of both covariances is computed without that root: it is the sum of the
    singular values of the centred clips times the root of the reference covariance, divided by the
    square root of n − 1.
    """
    rows = clips.astype(np.float64)
    mean = rows.mean(axis=0)
    centred = (rows - mean) / np.sqrt(len(rows) - 1)
    product = centred @ reference.root
    gram = product @ product.T if len(rows) <= product.shape[1] else product.T @ product
    root_trace = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0.0)).sum()
    squared_distance = ((mean - reference.mean) ** 2).sum()
    return float(squared_distance + (centred**2).sum() + reference.trace - 2 * root_trace)


def frechet_infinity(clips: Float32, reference: ReferenceNormal, *, seed: int = 0) -> float:
    """Return the FAD∞ of n ≥ MIN_CLIPS clips. It can be slightly negative.

    `clips` has shape (n, D), float32. Their order must be the same in every run, because the
    subsets depend on it. Subsets are drawn without replacement, so all their clips differ. Raises
    ValueError if there are too few clips.
    """
    n = len(clips)
    if n < MIN_CLIPS:
        raise ValueError(f"FAD∞ needs at least {MIN_CLIPS} clips, not {n}")
    random = np.random.default_rng(seed)
    inverse_sizes, distances = [], []
    for size in np.unique(np.linspace(max(n // 4, 2), n, SUBSET_SIZES).round().astype(int)):
        subsets = 1 if size == n else min(SUBSETS_PER_SIZE, max(_MAX_ROWS_PER_SIZE // int(size), 1))
        of_size = [
            frechet_distance(clips[random.permutation(n)[:size]], reference) for _ in range(subsets)
        ]
        inverse_sizes.append(1 / size)
        distances.append(float(np.mean(of_size)))
    return float(np.polyfit(inverse_sizes, distances, 1)[1])

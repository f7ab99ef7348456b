"""FAD and FAD∞: how far two normal distributions lie apart, and what that tends to with more clips.

Kilgour et al., Fréchet Audio Distance (arXiv 1812.08466). A small set looks farther away than it
is, by nearly c / n; FAD∞ is the intercept of a line through 1 / n. Chong & Forsyth, Effectively
Unbiased FID (CVPR 2020); Gui et al., Adapting Fréchet Audio Distance (arXiv 2311.01616).
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64
from mirpipe.statistics.cosine_moments import Moments

FEWEST = 8
"""Clips below which no line is drawn."""
SIZES = 15
"""Sizes of the sets that the line goes through, from a quarter of all clips to all of them."""
DRAWS = 20
"""Sets of each size, fewer where there are many clips."""
_ROWS = 20_000
"""Clips that all sets of a size hold together at most."""


@dataclass(frozen=True)
class ReferenceNormal:
    """The normal distribution of the reference vectors."""

    mean: Float64
    """Shape (D,)."""
    root: Float64
    """Square root of the covariance, shape (D, D)."""
    trace: float
    """Of the covariance."""

    @classmethod
    def of(cls, moments: Moments) -> "ReferenceNormal | None":
        """From the sums over n references; None where they are fewer than two."""
        if moments.n < 2:
            return None
        mean = moments.vector_sum / moments.n
        covariance = (moments.outer_sum - moments.n * np.outer(mean, mean)) / (moments.n - 1)
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0.0)  # what is below is rounding
        return cls(mean, (vectors * np.sqrt(values)) @ vectors.T, float(values.sum()))


def frechet_distance(clips: Float32, reference: ReferenceNormal) -> float:
    """FAD of n >= 2 clips, shape (n, D), 0 (alike) upwards; covariances with n - 1.

    The trace of the root of the covariances' product is the sum of the singular values of the
    centred clips times the root of the reference's covariance, over the root of n - 1.
    """
    rows = clips.astype(np.float64)
    mean = rows.mean(axis=0)
    centred = (rows - mean) / np.sqrt(len(rows) - 1)
    product = centred @ reference.root
    gram = product @ product.T if len(rows) <= product.shape[1] else product.T @ product
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0.0)).sum()
    apart = ((mean - reference.mean) ** 2).sum()
    return float(apart + (centred**2).sum() + reference.trace - 2 * shared)


def frechet_infinity(clips: Float32, reference: ReferenceNormal, *, seed: int = 0) -> float:
    """FAD∞ of n >= FEWEST clips, shape (n, D), in an order that does not depend on chance.

    Sets are drawn without replacement, so that none is smaller than it looks. May go slightly
    below 0.
    """
    n = len(clips)
    if n < FEWEST:
        raise ValueError(f"the line wants {FEWEST} clips at least, not {n}")
    random = np.random.default_rng(seed)
    inverse, distance = [], []
    for size in np.unique(np.linspace(max(n // 4, 2), n, SIZES).round().astype(int)):
        draws = 1 if size == n else min(DRAWS, max(_ROWS // int(size), 1))
        found = [
            frechet_distance(clips[random.permutation(n)[:size]], reference) for _ in range(draws)
        ]
        inverse.append(1 / size)
        distance.append(float(np.mean(found)))
    return float(np.polyfit(inverse, distance, 1)[1])

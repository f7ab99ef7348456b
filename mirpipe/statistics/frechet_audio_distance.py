"""FAD and FAD∞: the Fréchet distance between normal distributions fitted to clips and references.

FAD: Kilgour et al., Fréchet Audio Distance (arXiv 1812.08466). A set of n clips has a bias of about
c / n. FAD∞ removes this bias: a line is fitted to the FAD of subsets as a function of 1 / n, and
FAD∞ is the intercept of this line.
Sources: Chong and Forsyth, Effectively Unbiased FID (CVPR 2020); Gui et al., Adapting Fréchet Audio
Distance (arXiv 2311.01616).

docs/adr/0011-own-code-for-kad-and-fad.md explains why the library fadtk is not used.
scipy.linalg.sqrtm is not used because FAD∞ needs about 300 distances, and the code here takes 1%
of its time for each (200 clips, 512 dimensions).
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64
from mirpipe.statistics.cosine_moments import Moments

MIN_CLIPS = 8
"""Minimum number of clips for which FAD∞ is defined."""
SIMULATIONS = 19
"""Number of simulated sets. One set in 20 without a difference exceeds the largest of them."""
_SIMULATED_CLIPS = 500
"""Largest number of vectors in a simulated set. The bias of a larger set is smaller."""
_SIMULATED_SUBSETS = 5
"""Number of subsets per size in a simulation. It changes the spread of FAD∞, but not its mean."""
SUBSET_SIZES = 15
"""Number of subset sizes that the line is fitted to, from a quarter of the clips to all clips."""
SUBSETS_PER_SIZE = 20
"""Number of subsets per size. For large subsets there are fewer, see _MAX_ROWS_PER_SIZE."""
_MAX_ROWS_PER_SIZE = 20_000
"""Maximum total number of clips in all subsets of the same size."""


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
        return cls.from_covariance(mean, covariance)

    @classmethod
    def from_covariance(cls, mean: Float64, covariance: Float64) -> "ReferenceNormal":
        """Return the distribution with this mean, shape (D,), and covariance, shape (D, D)."""
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0.0)  # Negative eigenvalues are rounding errors.
        return cls(mean, (vectors * np.sqrt(values)) @ vectors.T, float(values.sum()))


@dataclass(frozen=True)
class SimulatedBias:
    """FAD∞ of sets that have the same distribution as the references."""

    mean: float
    """Mean over the simulated sets."""
    highest: float
    """Largest value. A distance above it is larger than chance explains (one-sided p ≤ 0.05)."""


def simulate_bias(
    n: int, reference: ReferenceNormal, references_n: int, *, seed: int = 0
) -> SimulatedBias:
    """Return the FAD∞ of SIMULATIONS sets of n vectors, drawn from the reference distribution.

    FAD∞ is not 0 for equal distributions, because n is finite, and because the reference
    distribution is estimated from `references_n` vectors. Each simulation therefore also draws
    estimates of the reference distribution. Above 500 vectors, the bias of 500 vectors is returned,
    which is an upper bound.
    """
    random = np.random.default_rng(seed)
    shape = min(n, _SIMULATED_CLIPS), len(reference.mean)
    values = []
    for _ in range(SIMULATIONS):
        drawn = (reference.mean + random.standard_normal(shape) @ reference.root).astype(np.float32)
        estimate = _draw_estimate(reference, references_n, random)
        values.append(frechet_infinity(drawn, estimate, subsets_per_size=_SIMULATED_SUBSETS))
    return SimulatedBias(float(np.mean(values)), float(np.max(values)))


def _draw_estimate(
    reference: ReferenceNormal, n: int, random: np.random.Generator
) -> ReferenceNormal:
    """Return the normal distribution that n ≥ 2 vectors from the reference distribution give.

    If n is large, the covariance is drawn from the Wishart distribution by Bartlett's
    decomposition, which does not need the vectors.
    """
    dimension = len(reference.mean)
    mean = reference.mean + random.standard_normal(dimension) @ reference.root / np.sqrt(n)
    if n > dimension:
        factor = np.tril(random.standard_normal((dimension, dimension)), -1)
        np.fill_diagonal(factor, np.sqrt(random.chisquare(n - 1 - np.arange(dimension))))
        factor = reference.root @ factor
    else:
        factor = reference.root @ random.standard_normal((dimension, n - 1))
    return ReferenceNormal.from_covariance(mean, factor @ factor.T / (n - 1))


def frechet_distance(clips: Float32, reference: ReferenceNormal) -> float:
    """Return the FAD of n ≥ 2 clips. It is 0 for equal distributions and has no upper bound.

    `clips` has shape (n, D), float32. Covariances are computed with the divisor n − 1. FAD needs
    the trace of the square root of the product of the clip and reference covariances. This trace is
    computed without the matrix root. It equals the sum of the singular values of X R / √(n − 1),
    where X contains the centred clips and R is the square root of the reference covariance.
    """
    rows = clips.astype(np.float64)
    mean = rows.mean(axis=0)
    centred = (rows - mean) / np.sqrt(len(rows) - 1)
    product = centred @ reference.root
    gram = product @ product.T if len(rows) <= product.shape[1] else product.T @ product
    root_trace = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0.0)).sum()
    squared_distance = ((mean - reference.mean) ** 2).sum()
    return float(squared_distance + (centred**2).sum() + reference.trace - 2 * root_trace)


def frechet_infinity(
    clips: Float32,
    reference: ReferenceNormal,
    *,
    subsets_per_size: int = SUBSETS_PER_SIZE,
    seed: int = 0,
) -> float:
    """Return the FAD∞ of n ≥ MIN_CLIPS clips. It can be slightly negative.

    `clips` has shape (n, D), float32. The clips must be in the same order in every run, because the
    subsets depend on the order. Clips are drawn without replacement, so a subset contains no clip
    twice. Raises ValueError if there are too few clips.
    """
    n = len(clips)
    if n < MIN_CLIPS:
        raise ValueError(f"FAD∞ needs at least {MIN_CLIPS} clips, not {n}")
    random = np.random.default_rng(seed)
    inverse_sizes, distances = [], []
    for size in np.unique(np.linspace(max(n // 4, 2), n, SUBSET_SIZES).round().astype(int)):
        subsets = 1 if size == n else min(subsets_per_size, max(_MAX_ROWS_PER_SIZE // int(size), 1))
        of_size = [
            frechet_distance(clips[random.permutation(n)[:size]], reference) for _ in range(subsets)
        ]
        inverse_sizes.append(1 / size)
        distances.append(float(np.mean(of_size)))
    return float(np.polyfit(inverse_sizes, distances, 1)[1])

"""Mean and standard deviation of the cosines between a target and all references, used for z.

z = (cosine − mean) / standard deviation. The mean and the standard deviation are computed from sums
over the reference vectors r. Let n be the number of vectors, s their sum, and M the sum of r rᵀ.
For every target t, the mean of t·r is t·s / n, and the mean of (t·r)² is tᵀ M t / n.

No library is used because the sums are updated when references are added or removed, and no class
in scipy or scikit-learn can remove vectors again.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64

NO_SPREAD = 1e-12
"""Variances up to this value are rounding errors: float32 cosines have errors of about 1e-7."""


@dataclass(frozen=True)
class Moments:
    """The first two moments of n reference vectors."""

    n: int
    """Number of vectors."""
    vector_sum: Float64
    """Sum of the vectors, shape (D,), float64."""
    outer_sum: Float64
    """Sum of r rᵀ over the vectors r, shape (D, D), float64."""

    @classmethod
    def empty(cls, dimension: int) -> "Moments":
        """Return the moments of an empty set of vectors."""
        return cls(0, np.zeros(dimension), np.zeros((dimension, dimension)))

    def plus(self, vectors: Float32) -> "Moments":
        """Return the moments after adding these vectors, shape (m, D), float32."""
        return self._changed(vectors, 1)

    def minus(self, vectors: Float32) -> "Moments":
        """Return the moments after removing these vectors, shape (m, D), float32.

        The sums are exactly 0 after the last vector is removed.
        """
        return self._changed(vectors, -1)

    def _changed(self, vectors: Float32, sign: int) -> "Moments":
        n = self.n + sign * len(vectors)
        if n == 0:
            return Moments.empty(len(self.vector_sum))
        rows = vectors.astype(np.float64)
        return Moments(
            n, self.vector_sum + sign * rows.sum(axis=0), self.outer_sum + sign * (rows.T @ rows)
        )


def mean_and_sd(targets: Float32, moments: Moments) -> tuple[Float64, Float64]:
    """Return the mean and population sd of the cosines between each target and all references.

    `targets` are unit vectors, shape (n, D), float32. `moments` must contain at least one vector.
    Both results have shape (n,), float64. If the spread is only a rounding error, the sd is 0.
    """
    rows = targets.astype(np.float64)
    mean = rows @ moments.vector_sum / moments.n
    second = ((rows @ moments.outer_sum) * rows).sum(axis=1) / moments.n
    variance = second - mean**2
    return mean, np.sqrt(np.where(variance > NO_SPREAD, variance, 0.0))

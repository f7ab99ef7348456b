"""How a target's cosines are spread over a whole library, from sums that are kept up to date.

With n, the sum s of the reference vectors r and the sum M of r rᵀ, the mean of t·r over all
references is t·s / n and the mean of its square tᵀ M t / n, whatever the target t.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirpipe.records import Float32, Float64

NO_SPREAD = 1e-12
"""A variance that is rounding: cosines of float32 vectors are known to about 1e-7."""


@dataclass(frozen=True)
class Moments:
    """Of n vectors: their sum, shape (D,), and the sum of r rᵀ, shape (D, D), both float64."""

    n: int
    vector_sum: Float64
    outer_sum: Float64

    @classmethod
    def of_nothing(cls, dimension: int) -> "Moments":
        """The moments of no vectors."""
        return cls(0, np.zeros(dimension), np.zeros((dimension, dimension)))

    def plus(self, vectors: Float32) -> "Moments":
        """With these vectors, shape (m, D), added."""
        return self._changed(vectors, 1)

    def minus(self, vectors: Float32) -> "Moments":
        """With these vectors, shape (m, D), taken away again; nothing is left of the last one."""
        return self._changed(vectors, -1)

    def _changed(self, vectors: Float32, sign: int) -> "Moments":
        n = self.n + sign * len(vectors)
        if n == 0:
            return Moments.of_nothing(len(self.vector_sum))
        rows = vectors.astype(np.float64)
        return Moments(
            n, self.vector_sum + sign * rows.sum(axis=0), self.outer_sum + sign * (rows.T @ rows)
        )


def mean_and_sd(targets: Float32, moments: Moments) -> tuple[Float64, Float64]:
    """Mean and sd (population) of the cosines of each target, shape (n, D), with all n > 0 vectors.

    A spread that is nothing but rounding is an sd of zero.
    """
    rows = targets.astype(np.float64)
    mean = rows @ moments.vector_sum / moments.n
    second = ((rows @ moments.outer_sum) * rows).sum(axis=1) / moments.n
    variance = second - mean**2
    return mean, np.sqrt(np.where(variance > NO_SPREAD, variance, 0.0))


def pairs(count: int, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """At most `limit` different pairs of `count` things, by place: first and second.

    All pairs where there are no more, else each thing with the ones that follow it on a ring. In
    an order by content hash that is a sample in which everything takes part equally, and which a
    new thing changes only near its own place.
    """
    if count * (count - 1) // 2 <= limit:
        first, second = np.triu_indices(count, 1)
        return first.astype(np.int64), second.astype(np.int64)
    steps = max(limit // count, 1)
    first = np.repeat(np.arange(min(count, limit)), steps)
    step = np.tile(np.arange(1, steps + 1), min(count, limit))
    return first, (first + step) % count

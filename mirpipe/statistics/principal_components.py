"""A plane to draw a space on: the two directions in which its references differ most."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from mirpipe.records import Float32, Float64
from mirpipe.statistics.cosine_moments import NO_SPREAD, Moments


@dataclass(frozen=True, eq=False)
class Plane:
    """Principal components of some vectors: exact, from their moments, and the same every time."""

    mean: Float64
    """Shape (D,)."""
    axes: Float64
    """Shape (D, 2): columns of unit length; the largest number of each is positive."""
    shares: tuple[float, float]
    """Of the variance that lie along each axis, 0 … 1."""

    def place(self, vectors: Float32) -> Float32:
        """Where vectors, shape (n, D), lie on the plane: shape (n, 2)."""
        placed: Float32 = ((vectors - self.mean) @ self.axes).astype(np.float32)
        return placed


def plane(moments: Moments) -> Plane | None:
    """The plane of a space; None where there are fewer than three vectors or all are equal.

    One dimension has none, either.
    """
    dimension = len(moments.vector_sum)
    if moments.n < 3 or dimension < 2:
        return None
    mean = moments.vector_sum / moments.n
    covariance = moments.outer_sum / moments.n - np.outer(mean, mean)
    total = float(np.trace(covariance))
    if total <= NO_SPREAD:
        return None
    _, found = scipy.linalg.eigh(covariance, subset_by_index=[dimension - 2, dimension - 1])
    axes = found[:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    first, second = (float(axis @ covariance @ axis) / total for axis in axes.T)
    return Plane(mean, axes, (min(max(first, 0.0), 1.0), min(max(second, 0.0), 1.0)))

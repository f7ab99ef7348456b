"""Principal components: the plane of an embedding map, in which the references differ most.

scikit-learn's PCA is not used because the components can be computed from the stored moments, so
the vectors of a large library need not be in memory.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from mirpipe.records import Float32, Float64
from mirpipe.statistics.cosine_moments import NO_SPREAD, Moments


@dataclass(frozen=True, eq=False)
class PrincipalPlane:
    """The plane of the first two principal components of a set of vectors."""

    mean: Float64
    """Mean of the vectors, shape (D,)."""
    axes: Float64
    """Unit vectors of the two components as columns, shape (D, 2).

    The sign of each column is chosen so that its entry with the largest absolute value is positive.
    """
    variance_shares: tuple[float, float]
    """Share of the total variance along each axis, 0 … 1."""

    def project(self, vectors: Float32) -> Float32:
        """Return the coordinates of the vectors on the plane, shape (n, 2), float32.

        `vectors` has shape (n, D), float32.
        """
        coordinates: Float32 = ((vectors - self.mean) @ self.axes).astype(np.float32)
        return coordinates


def principal_plane(moments: Moments) -> PrincipalPlane | None:
    """Return the plane of the vectors with these moments.

    Returns None if there are fewer than three vectors, if all vectors are equal, or if they have
    only one dimension.
    """
    dimension = len(moments.vector_sum)
    if moments.n < 3 or dimension < 2:
        return None
    mean = moments.vector_sum / moments.n
    covariance = moments.outer_sum / moments.n - np.outer(mean, mean)
    total = float(np.trace(covariance))
    if total <= NO_SPREAD:
        return None
    _, eigenvectors = scipy.linalg.eigh(covariance, subset_by_index=[dimension - 2, dimension - 1])
    axes = eigenvectors[:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    first, second = (float(axis @ covariance @ axis) / total for axis in axes.T)
    return PrincipalPlane(mean, axes, (min(max(first, 0.0), 1.0), min(max(second, 0.0), 1.0)))

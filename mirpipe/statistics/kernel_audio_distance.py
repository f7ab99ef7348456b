"""KAD: how far a set of generated clips lies from a reference set, without assuming any shape.

Chung et al., KAD: No More FAD! (arXiv 2502.15602): the unbiased estimate of the squared maximum
mean discrepancy (Gretton et al., JMLR 13, 2012, equation 3) with a Gaussian kernel. Not scaled: the
authors' own program prints a hundred times this.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float32, Float64

NO_DISTANCE = 1e-6
"""A distance that is rounding: float32 vectors of length one are known to about 1e-7."""


@dataclass(frozen=True)
class ReferenceKernel:
    """What a distance needs of the reference set, made once for all sets of clips."""

    vectors: Float64
    bandwidth: float
    """Median distance between two references."""
    mean: float
    """Of the kernel over all pairs of different references."""

    @classmethod
    def of(cls, vectors: Float32) -> "ReferenceKernel | None":
        """Of m references, shape (m, D); None where they are fewer than two or all equal.

        Memory: m² distances in float64.
        """
        if len(vectors) < 2:
            return None
        rows = vectors.astype(np.float64)
        squared = _squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
        bandwidth = float(np.sqrt(np.median(squared)))
        if bandwidth < NO_DISTANCE:
            return None
        return cls(rows, bandwidth, float(_kernel(squared, bandwidth).mean()))


def kernel_distance(clips: Float32, reference: ReferenceKernel) -> float:
    """KAD of n >= 2 clips, shape (n, D); 0 is alike, it may go slightly below."""
    n = len(clips)
    if n < 2:
        raise ValueError("the distance of a set wants two clips at least")
    rows = clips.astype(np.float64)
    own = _kernel(_squared_distances(rows, rows), reference.bandwidth)
    np.fill_diagonal(own, 0.0)
    across = _kernel(_squared_distances(rows, reference.vectors), reference.bandwidth)
    return float(own.sum() / (n * (n - 1)) + reference.mean - 2 * across.mean())


def _squared_distances(first: Float64, second: Float64) -> Float64:
    squared: Float64 = (
        (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    )
    return np.maximum(squared, 0.0, out=squared)


def _kernel(squared: Float64, bandwidth: float) -> Float64:
    kernel: Float64 = np.exp(squared / (-2 * bandwidth**2))
    return kernel

"""The mean of a track's windows, weighted by their lengths: a shorter last window counts less.

The stages embed and score use it for the vectors and the scores of a track.

Why not numpy's average: the rows of a track are added batch by batch, so they need not be in memory
together.
"""

import numpy as np

from mirpipe.records import Float64


class LengthWeightedMean:
    """The weighted mean of rows of numbers that are added one after the other."""

    def __init__(self, dimension: int) -> None:
        self.weighted_sum: Float64 = np.zeros(dimension)
        """Sum of the rows, each multiplied by its length, shape (dimension,)."""
        self.total_length = 0.0
        """Sum of the lengths."""

    def add(self, rows: Float64, lengths: Float64) -> None:
        """Add rows, shape (n, dimension), float64, with the lengths of their windows, shape (n,).

        The last bits of the sum depend on which rows are added together. Add them one by one if the
        sum must not depend on that.
        """
        self.weighted_sum += lengths @ rows
        self.total_length += float(lengths.sum())

    def mean(self) -> Float64:
        """Return the mean, shape (dimension,), float64. At least one row must have been added."""
        return self.weighted_sum / self.total_length

"""The mean over a track's windows, weighted by their lengths: a shorter last window counts less.

The stages embed and score use this mean for the vector and the scores of a track.

numpy's average is not used because the rows of a track are added batch by batch, so that they need
not all be in memory at the same time.
"""

import numpy as np

from mirpipe.records import Float64


class LengthWeightedMean:
    """The weighted mean of rows that are added one after the other."""

    def __init__(self, dimension: int) -> None:
        self.weighted_sum: Float64 = np.zeros(dimension)
        """Sum of the rows, each multiplied by its length, shape (dimension,)."""
        self.total_length = 0.0
        """Sum of the lengths."""

    def add(self, rows: Float64, lengths: Float64) -> None:
        """Add rows, shape (n, dimension), float64, with the lengths of their windows, shape (n,).

        The last bits of the sum depend on which rows are added in the same call. If the sum must
        not depend on that, add the rows one by one.
        """
        self.weighted_sum += lengths @ rows
        self.total_length += float(lengths.sum())

    def mean(self) -> Float64:
        """Return the mean, shape (dimension,), float64. At least one row must have been added."""
        return self.weighted_sum / self.total_length

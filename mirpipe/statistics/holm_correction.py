"""Holm's correction of p-values for the number of tests.

Source: Holm, A simple sequentially rejective multiple test procedure (1979).
"""

import numpy as np

from mirpipe.records import Float64


def holm(ps: Float64) -> Float64:
    """Each p after Holm's correction for how many they are, shape (m,); NaN is none of them."""
    corrected = np.full(len(ps), np.nan)
    tested = np.flatnonzero(~np.isnan(ps))
    order = tested[np.argsort(ps[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(ps[order] * factors), 1.0)
    return corrected

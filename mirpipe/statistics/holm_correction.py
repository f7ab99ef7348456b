"""Holm's correction of p-values for the number of tests.

Source: Holm, A simple sequentially rejective multiple test procedure (1979).

scipy has no Holm correction. statsmodels is not used because every installation would need it for
only six lines of code. A test compares the results with those of statsmodels.
"""

import numpy as np

from mirpipe.records import Float64


def holm(ps: Float64) -> Float64:
    """Return the corrected p-values, shape (m,), float64.

    `ps` has shape (m,). NaN means that there was no test: NaN values are not counted and stay NaN.
    """
    corrected = np.full(len(ps), np.nan)
    tested = np.flatnonzero(~np.isnan(ps))
    order = tested[np.argsort(ps[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(ps[order] * factors), 1.0)
    return corrected

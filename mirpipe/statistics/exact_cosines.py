"""Cosines of pairs of unit vectors, bit-identical on every machine."""

import numpy as np

from mirpipe.records import Float32, Float64

MAX_PAIRS = 512
"""Number of pairs whose cosines are computed together, so that all products fit in the CPU cache.
"""


def cosines(targets: Float32, references: Float32) -> Float64:
    """Return the cosine between each row of `targets` and the same row of `references`, shape (n,).

    Both arrays contain unit vectors, shape (n, D), float32. The result is the dot product in
    float64, limited to [-1, 1]. The products are summed in a binary tree, so the bits of the result
    depend only on the two vectors.
    """
    result = np.empty(len(targets))
    for start in range(0, len(targets), MAX_PAIRS):
        part = slice(start, start + MAX_PAIRS)
        products = targets[part].astype(np.float64)
        products *= references[part]  # This is exact: a product of two float32 values has 48 bits.
        width = products.shape[1]
        while width > 1:
            half = (width + 1) // 2
            products[:, : width - half] += products[:, half:width]
            width = half
        result[part] = products[:, 0]
    return np.clip(result, -1.0, 1.0) + 0.0  # Adding 0.0 turns a negative zero into zero.

"""L2 normalisation: scales a track's or caption's vector to length 1 before it is stored."""

import numpy as np

from mirpipe.errors import PluginError, RejectedInput
from mirpipe.records import Float32, Float64


def l2_normalise(vector: Float64, *, encoder: str) -> Float32:
    """Return the vector divided by its length, float32, shape (dimension,).

    `encoder` is the encoder's name, which error messages contain. Raises PluginError if the vector
    is not finite, and RejectedInput (`zero_vector`) if its length is 0.
    """
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length):
        raise PluginError(
            f"The encoder {encoder} returned numbers that are not finite: the plug-in is broken. "
            "Correct it, or remove it from MIRPIPE_ENCODERS."
        )
    if length == 0:
        raise RejectedInput(
            "zero_vector",
            f"The encoder {encoder} returned a vector of zeros for this audio. The track has no "
            "matches by this encoder.",
        )
    return (vector / length).astype(np.float32)

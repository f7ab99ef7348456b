"""The vector of a few words, for one question."""

from typing import cast

import numpy as np

from mirpipe import registry
from mirpipe.errors import PluginError
from mirpipe.protocols import TextEncoder
from mirpipe.records import Float32


def embed_text(encoder: str, words: str) -> Float32:
    """The vector, of shape (dimension,) and unit length, of words in the encoder's space.

    Raises Unavailable where what embeds text is missing, PluginError where it is broken.
    """
    registry.ENCODERS.require_text(encoder)
    model = cast(TextEncoder, registry.ENCODERS.load(encoder))
    made = np.asarray(model.embed_text([words]), np.float64)
    length = float(np.linalg.norm(made))
    if made.shape != (1, registry.ENCODERS.spec(encoder).dimension) or not 0 < length < np.inf:
        raise PluginError(f"{encoder} gave no vector of {words!r}: the plug-in is broken")
    vector: Float32 = (made[0] / length).astype(np.float32)
    return vector

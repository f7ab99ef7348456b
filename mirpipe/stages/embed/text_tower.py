"""Computes a text's vector with an encoder's text tower.

The vector is in the same space as the encoder's audio vectors.
"""

import numpy as np

from mirpipe.errors import PluginError
from mirpipe.protocols import TextEncoder
from mirpipe.records import Float32
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed.l2_normalisation import l2_normalise


def embed_one_text(model: TextEncoder, spec: EncoderSpec, words: str) -> Float32:
    """Return the vector of one text, shape (dimension,), float32, of length 1.

    The model receives only this text, so the vector does not depend on other texts. Raises
    PluginError if the model returns a vector of the wrong shape, of numbers that are not finite, or
    of zeros.
    """
    rows = np.asarray(model.embed_text([words]), dtype=np.float64)
    if rows.shape != (1, spec.dimension) or not rows.any():
        raise PluginError(
            f"The encoder {spec.name} returned no vector of {spec.dimension} numbers for the text "
            f"{words!r}: the plug-in is broken. Correct its method `embed_text`."
        )
    return l2_normalise(rows[0], encoder=spec.name)

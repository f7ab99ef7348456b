"""A fake encoder that declares its rows independent, and that fails for loud segments."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec

SPEC = EncoderSpec(
    name="mixing",
    version=1,
    checkpoint="constants",
    checkpoint_sha256="1" * 64,
    sample_rate=4000,
    window_samples=2000,
    dimension=2,
    gain_dbfs=None,
    licence_code="Apache-2.0",
    licence_weights="none",
    citation="none",
)

FAILS_ABOVE = 0.95
"""Sample level above which the encoder raises an error, as a broken model would."""


class Plugin:
    """An encoder that returns two numbers per window."""

    rows_are_independent = True

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the standard deviation and the number 1: shape (len(segments), 2)."""
        if any(np.abs(segment.samples).max() > FAILS_ABOVE for segment in segments):
            raise RuntimeError("the model failed")
        return np.asarray([(segment.samples.std(), 1.0) for segment in segments], dtype=np.float32)

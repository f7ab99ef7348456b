"""A fake encoder that returns the level and roughness of a window. It fails for loud segments."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec

SPEC = EncoderSpec(
    name="tiny",
    version=1,
    checkpoint="constants",
    checkpoint_sha256="0" * 64,
    sample_rate=8000,
    window_samples=8000,
    dimension=3,
    gain_dbfs=None,
    licence_code="Apache-2.0",
    licence_weights="none",
    citation="none",
)

FAILS_ABOVE = 0.95
"""Sample level above which the encoder raises an error, as a broken model would."""


class Plugin:
    """An encoder that returns three numbers per window."""

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the standard deviation, the mean step between samples, and the number 1.

        The shape is (len(segments), 3).
        """
        if any(np.abs(segment.samples).max() > FAILS_ABOVE for segment in segments):
            raise RuntimeError("the model failed")
        rows = [
            (segment.samples.std(), np.abs(np.diff(segment.samples)).mean(), 1.0)
            for segment in segments
        ]
        return np.asarray(rows, dtype=np.float32)

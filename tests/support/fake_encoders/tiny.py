"""An encoder for tests: level, roughness and mean of a window. It fails where a file says so."""

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
"""Windows that reach this level make the encoder raise, as a broken model would."""


class Plugin:
    """Three numbers a window."""

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Standard deviation, mean step between samples, and one; shape (len(segments), 3)."""
        if any(np.abs(segment.samples).max() > FAILS_ABOVE for segment in segments):
            raise RuntimeError("the model fell over")
        rows = [
            (segment.samples.std(), np.abs(np.diff(segment.samples)).mean(), 1.0)
            for segment in segments
        ]
        return np.asarray(rows, dtype=np.float32)

"""An encoder for tests that promises that its rows stand alone; it fails where a file says so."""

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


class Plugin:
    """Two numbers a window."""

    rows_stand_alone = True

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Standard deviation, and one; shape (len(segments), 2)."""
        if any(np.abs(segment.samples).max() > FAILS_ABOVE for segment in segments):
            raise RuntimeError("the model fell over")
        return np.asarray([(segment.samples.std(), 1.0) for segment in segments], dtype=np.float32)

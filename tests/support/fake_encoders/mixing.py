"""An encoder for tests that promises that its rows stand alone; it fails where a file says so."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import Clip, Float32
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

    def embed(self, clips: Sequence[Clip]) -> Float32:
        """Standard deviation, and one; shape (len(clips), 2)."""
        if any(np.abs(clip.samples).max() > FAILS_ABOVE for clip in clips):
            raise RuntimeError("the model fell over")
        return np.asarray([(clip.samples.std(), 1.0) for clip in clips], dtype=np.float32)

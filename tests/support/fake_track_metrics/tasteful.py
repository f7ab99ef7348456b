"""A model for tests that scores windows by level and length. It fails where a file says so."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import TrackMetricSpec

SPEC = TrackMetricSpec(
    name="tasteful",
    version=1,
    checkpoint="constants",
    checkpoint_sha256="0" * 64,
    sample_rate=8000,
    window_samples=8000,
    axes=("aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq"),
    low=0.0,
    high=10.0,
    unit="points",
    licence_code="Apache-2.0",
    licence_weights="CC-BY-4.0",
    citation="none",
)

FAILS_ABOVE = 0.95
"""Windows that reach this level make the model raise, as a broken one would."""


class Plugin:
    """Four numbers a window."""

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Level, highest sample, seconds and ten; shape (len(segments), 4)."""
        if any(np.abs(segment.samples).max() > FAILS_ABOVE for segment in segments):
            raise RuntimeError("the model fell over")
        rows = [
            (
                segment.samples.std(),
                segment.samples.max(),
                len(segment.samples) / segment.sample_rate,
                10.0,
            )
            for segment in segments
        ]
        return np.asarray(rows, dtype=np.float32)

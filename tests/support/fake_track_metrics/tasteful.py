"""A fake track metric that scores windows by level and length. It fails for loud segments."""

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
"""Sample level above which the track metric raises an error, as a broken model would."""


class Plugin:
    """A track metric that returns four numbers per window."""

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the level, the highest sample, the seconds, and 10: shape (len(segments), 4)."""
        if any(np.abs(segment.samples).max() > FAILS_ABOVE for segment in segments):
            raise RuntimeError("the model failed")
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

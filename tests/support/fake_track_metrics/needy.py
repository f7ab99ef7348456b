"""A fake track metric that needs weights and a library that every interpreter has."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Needs, Runtime, TrackMetricSpec, WeightFile

CHECKPOINT = WeightFile("somebody/needy", "0123abc", "needy.bin", megabytes=1, sha256=None)
NEEDS = Needs(("httpx",), weights=(CHECKPOINT,))
SPEC = TrackMetricSpec(
    name="needy",
    version=1,
    checkpoint="needy.bin",
    checkpoint_sha256="",
    sample_rate=8000,
    window_samples=8000,
    axes=("need",),
    low=0.0,
    high=255.0,
    unit="points",
    licence_code="MIT",
    licence_weights="CC-BY-NC-4.0",
    citation="none",
)


class Plugin:
    """A track metric that returns the first byte of its weights for every segment."""

    def __init__(self, runtime: Runtime) -> None:
        self.device = "abacus"
        self._need = runtime.files[CHECKPOINT].read_bytes()[0]

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the same row for every segment: shape (len(segments), 1)."""
        return np.full((len(segments), 1), self._need, dtype=np.float32)

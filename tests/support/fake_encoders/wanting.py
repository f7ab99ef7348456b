"""A fake encoder that needs weights and a library that every interpreter has."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime, WeightFile

CHECKPOINT = WeightFile("somebody/wanting", "0123abc", "wanting.bin", megabytes=1, sha256=None)
WORDS = WeightFile("somebody/wanting", "0123abc", "words.txt", megabytes=1, sha256=None)
NEEDS = Needs(("httpx",), weights=(CHECKPOINT,), text_weights=(WORDS,))
SPEC = EncoderSpec(
    name="wanting",
    version=1,
    checkpoint="wanting.bin",
    checkpoint_sha256="",
    sample_rate=8000,
    window_samples=8000,
    dimension=3,
    gain_dbfs=None,
    licence_code="MIT",
    licence_weights="CC-BY-4.0",
    citation="none",
)


class Plugin:
    """An encoder that returns the first three bytes of its weights for every segment."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.device = "abacus"
        self._row = np.frombuffer(runtime.files[CHECKPOINT].read_bytes()[:3], np.uint8)

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the same row for every segment: shape (len(segments), 3)."""
        return np.tile(self._row, (len(segments), 1)).astype(np.float32)

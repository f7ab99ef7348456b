"""A fake encoder that also embeds text: words in capitals are loud."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mirpipe.records import AudioSegment, Float32
from tests.support.fake_encoders import tiny

SPEC = replace(tiny.SPEC, name="wordy", dimension=2)


class Plugin:
    """An encoder that returns the level and the number 1."""

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the level and the number 1: shape (len(segments), 2)."""
        rows = [(np.abs(segment.samples).max(), 1.0) for segment in segments]
        return np.asarray(rows, dtype=np.float32)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return the level 1 for `LOUD`, NaN for an empty text, and 0.1 for any other text."""
        levels = {"": np.nan, "LOUD": 1.0}
        return np.asarray([(levels.get(text, 0.1), 1.0) for text in texts], dtype=np.float32)

"""An encoder for tests that takes words, too: it hears how loud they are."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mirpipe.records import AudioSegment, Float32
from tests.support.fake_encoders import tiny

SPEC = replace(tiny.SPEC, name="wordy", dimension=2)


class Plugin:
    """Level and one."""

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Shape (len(segments), 2)."""
        return np.asarray([(np.abs(c.samples).max(), 1.0) for c in segments], dtype=np.float32)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """As segments of level 1 where they shout, 0.1 where they do not, undefined where empty."""
        levels = {"": np.nan, "LOUD": 1.0}
        return np.asarray([(levels.get(t, 0.1), 1.0) for t in texts], dtype=np.float32)

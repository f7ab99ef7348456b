"""A fake encoder whose dimension a test chooses."""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec
from tests.support.fake_encoders import tiny

SPEC = EncoderSpec(**vars(tiny.SPEC) | {"name": "wide", "dimension": 2048})


class Plugin:
    """An encoder that returns the spectrum of a window, padded to the encoder's dimension."""

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the magnitudes at SPEC.dimension frequencies, shape (len(segments), dimension)."""
        spectra = [np.fft.rfft(segment.samples, 2 * SPEC.dimension) for segment in segments]
        return np.abs(spectra)[:, : SPEC.dimension].astype(np.float32)

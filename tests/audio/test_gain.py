"""The gain that scales audio to a given level."""

import numpy as np
import pytest

from mirpipe.audio.gain import apply_gain, gain_for_level
from tests.support.synthetic_music import noise


def test_the_gain_brings_audio_to_the_level() -> None:
    samples = noise(1.0, 8000, dbfs=-30.0)
    louder = apply_gain(samples, gain_for_level(-30.0, -18.0))
    assert 20 * np.log10(louder.std()) == pytest.approx(-18.0, abs=1e-3)
    assert louder.dtype == np.float32

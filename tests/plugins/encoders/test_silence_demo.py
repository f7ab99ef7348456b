"""Silence changes neither a demo track's vector nor its similarity to other tracks.

Before silence was left out, the bluegrass band with 60 s of zeros had a cosine of 0.47 (musicnn)
and -0.21 (signal) to itself without them, and of 0.93 and 0.99 to an erhu solo with the same zeros.
"""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe.records import Float32
from mirpipe.settings import PROJECT
from mirpipe.stages.embed import embed_file
from tests.support import synthetic_music

pytestmark = pytest.mark.slow

DEMO = PROJECT / "demo/reference"
TRACKS = ("Band- Bluegrass.ogg", "小白菜（二胡）.ogg", "rock_120.ogg")
PADDINGS = ("zeros behind", "zeros in front", "zeros inside", "noise around", "late start")


def padded(samples: Float32, rate: int, padding: str) -> Float32:
    """Return the track with silence; the samples have shape (frames, channels)."""

    def zeros(seconds: float) -> Float32:
        return np.zeros((round(seconds * rate), samples.shape[1]), np.float32)

    noise = synthetic_music.noise(30.0, rate, dbfs=-70.0)[:, np.newaxis] + zeros(30.0)
    half = len(samples) // 2
    parts = {
        "zeros behind": [samples, zeros(60.0)],
        "zeros in front": [zeros(60.0), samples],
        "zeros inside": [samples[:half], zeros(12.34), samples[half:]],
        "noise around": [noise, samples, noise],
        "late start": [zeros(7.371), samples],
    }
    return np.concatenate(parts[padding])


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoder", ["musicnn", "signal"])
def test_silence_changes_no_similarity(tmp_path: Path, encoder: str, padding: str) -> None:
    plain, with_silence = [], []
    for name in TRACKS:
        samples, rate = soundfile.read(DEMO / name, dtype="float32", always_2d=True)
        path = tmp_path / "padded.wav"
        soundfile.write(path, padded(samples, rate, padding), rate, subtype="FLOAT")
        plain.append(embed_file(encoder, DEMO / name))
        with_silence.append(embed_file(encoder, path))
    before, after = np.array(plain), np.array(with_silence)
    assert np.diag(before @ after.T).min() >= 0.98
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=0.05)

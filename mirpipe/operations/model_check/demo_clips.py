"""The audio and the text on which models are checked: clips of the demo library, and noise."""

from contextlib import closing
from pathlib import Path

import numpy as np

from mirpipe.audio import WindowRequest, read_windows
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, TrackMetricSpec

FILES = {
    "drums": "target/Rock 102 BPM.ogg",
    "other drums": "reference/rock_120.ogg",
    "flute": "target/茉莉花（笛子）.ogg",
    "piano": "target/J.S. Bach- BWV 846 (piano).ogg",
    "band": "reference/Band- Jazz Combo.ogg",
}
"""For each clip, its file in the demo library."""

NOISE = "noise"
CLIPS = (*FILES, NOISE)
TEXTS = ("solo piano",)

_NOISE_LEVEL = 0.1
"""Standard deviation of the noise. It is about as loud as the music."""


def read_segments(demo: Path, spec: EncoderSpec | TrackMetricSpec) -> list[AudioSegment]:
    """Return the first window of each clip, in the order of CLIPS, at the model's sample rate.

    `demo` is the folder of the demo library. Its files are longer than the windows of all models.
    """
    request = WindowRequest(spec.sample_rate, spec.window_samples)
    segments = []
    for file in FILES.values():
        with closing(read_windows(demo / file, [request])) as windows:
            segments.append(next(windows)[1])
    return [*segments, AudioSegment(_noise(spec.window_samples), spec.sample_rate)]


def _noise(samples: int) -> Float32:
    generator = np.random.default_rng(0)
    return generator.normal(scale=_NOISE_LEVEL, size=samples).astype(np.float32)

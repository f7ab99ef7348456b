"""The audio and the text on which models are checked: clips of the demo library, and noise."""

from contextlib import closing
from pathlib import Path

import numpy as np

from mirpipe.audio import WindowRequest, read_windows
from mirpipe.generation.modes import Mode
from mirpipe.music.features.conditioning_audio import conditioning
from mirpipe.records import AudioSegment, Float32, GenerationRequest
from mirpipe.specs import CaptionerSpec, EncoderSpec, TrackMetricSpec

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

MELODIES = ("flute", "piano")
"""Clips whose melody a generator gets, in this order."""
PROMPT = "calm chamber music"

_CONDITIONING_SECONDS = 10
_GENERATED_SECONDS = 2.0
_NOISE_LEVEL = 0.1
"""Standard deviation of the noise. It is about as loud as the music."""


def read_segments(
    demo: Path, spec: EncoderSpec | TrackMetricSpec | CaptionerSpec
) -> list[AudioSegment]:
    """Return the first window of each clip, in the order of CLIPS, at the model's sample rate.

    `demo` is the folder of the demo library. A window is shorter if its file is.
    """
    segments = [
        _first_window(demo / file, spec.sample_rate, spec.window_samples) for file in FILES.values()
    ]
    return [*segments, AudioSegment(_noise(spec.window_samples), spec.sample_rate)]


def generation_requests(demo: Path, sample_rate: int) -> list[GenerationRequest]:
    """Return one request per melody of MELODIES, and one without a melody, with equal prompts.

    `demo` is the folder of the demo library, and `sample_rate` that of the generator, in Hz.
    """
    samples = _CONDITIONING_SECONDS * sample_rate
    melodies = [
        conditioning(_first_window(demo / FILES[name], sample_rate, samples)) for name in MELODIES
    ]
    return [
        GenerationRequest(
            mode=Mode("check", is_conditioned=melody is not None, guidance=3.0),
            prompt=PROMPT,
            seconds=_GENERATED_SECONDS,
            seed=0,
            conditioning=melody,
            features=None,
        )
        for melody in (*melodies, None)
    ]


def _first_window(path: Path, sample_rate: int, samples: int) -> AudioSegment:
    request = WindowRequest(sample_rate, samples, keep_tail=True)
    with closing(read_windows(path, [request])) as windows:
        return next(windows)[1]


def _noise(samples: int) -> Float32:
    generator = np.random.default_rng(0)
    return generator.normal(scale=_NOISE_LEVEL, size=samples).astype(np.float32)

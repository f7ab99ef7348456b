"""Onsets: how strongly something begins at every moment, and how often something does.

Onset strength is librosa's: the mean rise of 128 mel bands in dB from one frame to the next. Its
95th percentile lies at 1 and above in music and in noise, at 0.2 in a sustained chord.
"""

from typing import cast

import numpy as np

from mirpipe.records import Float32

SAMPLE_RATE = 22_050
HOP_SAMPLES = 512
FRAMES_PER_SECOND = SAMPLE_RATE / HOP_SAMPLES
WEAKEST = 0.5
"""Bound on the 95th percentile of the strength: below it nothing begins that one could hear."""


def strength(samples: Float32) -> Float32:
    """Onset strength of mono audio at 22,050 Hz, shape (1 + n // 512,), 0 and above."""
    from librosa.onset import onset_strength

    return cast(Float32, onset_strength(y=samples, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES))


def has_onsets(onset_strength: Float32) -> bool:
    """Whether anything begins at all."""
    return bool(np.percentile(onset_strength, 95) >= WEAKEST)


def per_second(onset_strength: Float32) -> float:
    """The number of distinct onsets in a second, 0 where nothing begins."""
    from librosa.onset import onset_detect

    if not has_onsets(onset_strength):
        return 0.0
    found = onset_detect(onset_envelope=onset_strength, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)
    return float(len(found) * FRAMES_PER_SECOND / len(onset_strength))


def times(frames: np.ndarray) -> np.ndarray:
    """Seconds at which frames stand, float64."""
    return np.asarray(frames, dtype=np.float64) / FRAMES_PER_SECOND

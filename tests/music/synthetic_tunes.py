"""Synthetic audio for melody metric tests: a tune with known notes, and a drum loop."""

import numpy as np

from mirpipe.music.features.melody_pitch_classes import SAMPLE_RATE
from mirpipe.records import Float32

NOTE_SECONDS = 0.25
TUNE = [0, 4, 7, 9, 5, 2, 11, 0, 8, 3, 6, 1, 10, 7, 0, 5, 9, 2, 4, 11, 0, 7, 4, 2]
"""Pitch classes of the tune, one per note."""


def tune(*, semitones: float = 0, late_seconds: float = 0.0, notes: list[int] = TUNE) -> Float32:
    """Return steady harmonic notes from C5 upwards, four per second, at 44.1 kHz."""
    samples_per_note = int(NOTE_SECONDS * SAMPLE_RATE)
    hertz = 440 * 2 ** ((np.repeat(notes, samples_per_note) + 3 + semitones) / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
    sound = sum(np.sin(harmonic * phase) / harmonic for harmonic in (1, 2, 4))
    pause = np.zeros(round(late_seconds * SAMPLE_RATE))
    return np.r_[pause, 0.2 * sound].astype(np.float32)


def drum_loop(seed: int = 0) -> Float32:
    """Return four noise bursts per second, each of which decays within a tenth of a second."""
    random = np.random.default_rng(seed)
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    return (random.standard_normal(len(time)) * np.exp(-30 * (time % 0.25))).astype(np.float32)

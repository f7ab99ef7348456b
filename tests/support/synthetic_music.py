"""Synthesises music for model tests. The samples are the same on every machine."""

import numpy as np

from mirpipe.records import Float32


def melody(seconds: float, sample_rate: int, *, seed: int = 0, dbfs: float = -18.0) -> Float32:
    """Return four plucked harmonic notes per second over soft noise, mono of shape (n,).

    The mean is 0 and the RMS level is `dbfs`. Each seed produces a different melody.
    """
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    note = np.floor(time * 4).astype(int)
    pitches = 220 * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11, 12], size=1000) / 12)
    phase = 2 * np.pi * np.cumsum(pitches[note]) / sample_rate
    tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 8))
    music = tone * np.exp(-6 * (time * 4 - note)) + 0.01 * random.standard_normal(len(time))
    return at_level(music, dbfs)


def noise(seconds: float, sample_rate: int, *, dbfs: float) -> Float32:
    """Return white noise, mono of shape (n,), with a mean of 0 and the RMS level `dbfs`."""
    random = np.random.default_rng(1)
    return at_level(random.standard_normal(round(seconds * sample_rate)), dbfs)


def at_level(samples: np.ndarray, dbfs: float) -> Float32:
    """Return the samples, changed to a mean of 0 and the RMS level `dbfs`."""
    samples = samples - samples.mean()
    return (samples * (10 ** (dbfs / 20) / samples.std())).astype(np.float32)

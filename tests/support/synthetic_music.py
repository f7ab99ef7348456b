"""Made-up music for tests of encoders: the same samples everywhere, without a file."""

import numpy as np

from mirpipe.records import Float32


def melody(seconds: float, sample_rate: int, *, seed: int = 0, dbfs: float = -18.0) -> Float32:
    """Plucked harmonic notes, four a second, over soft noise; free of a constant part."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    note = np.floor(time * 4).astype(int)
    pitches = 220 * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11, 12], size=1000) / 12)
    phase = 2 * np.pi * np.cumsum(pitches[note]) / sample_rate
    tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 8))
    music = tone * np.exp(-6 * (time * 4 - note)) + 0.01 * random.standard_normal(len(time))
    return at_level(music, dbfs)


def noise(seconds: float, sample_rate: int, *, dbfs: float) -> Float32:
    """White noise, free of a constant part."""
    random = np.random.default_rng(1)
    return at_level(random.standard_normal(round(seconds * sample_rate)), dbfs)


def at_level(samples: np.ndarray, dbfs: float) -> Float32:
    """The samples without their constant part, their RMS brought to `dbfs`."""
    samples = samples - samples.mean()
    return (samples * (10 ** (dbfs / 20) / samples.std())).astype(np.float32)

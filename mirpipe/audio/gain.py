"""Scales audio to a given level: computes the gain and multiplies the samples by it."""

import numpy as np

from mirpipe.records import Float32


def gain_for_level(rms_dbfs: float, target_dbfs: float) -> float:
    """Return the linear factor that scales audio from level `rms_dbfs` to level `target_dbfs`.

    Both levels are in dB relative to full scale.
    """
    return float(10 ** ((target_dbfs - rms_dbfs) / 20))


def apply_gain(samples: Float32, gain: float) -> Float32:
    """Return the samples, multiplied by the linear factor `gain`, as float32 of the same shape."""
    return samples * np.float32(gain)

"""Finds the silent parts of a track and measures the level of the rest.

The level of each 20 ms is measured without its DC offset. It is silent below -60 dBFS. In a quiet
track, this threshold is 30 dB below the loudest three seconds, but never below -80 dBFS. A silent
part is a stretch of silence that lasts at least two seconds, because shorter rests belong to the
music, or silence of any length at the start or end of the track.

The loudest three seconds are the reference, and not the mean level, because silence lowers the
mean. The same music with more silence around it therefore has the same threshold. Tape hiss and
vinyl noise above the threshold count as sound.
"""

import math

import numpy as np

from mirpipe.records import Bool, Float32, Float64, Silence

FRAMES_PER_SECOND = 50
LOWEST_THRESHOLD_DBFS = -80.0
HIGHEST_THRESHOLD_DBFS = -60.0
BELOW_LOUDEST_DB = 30.0
LOUDEST_SECONDS = 3
SHORTEST_SECONDS = 2
"""Duration of the shortest silent part between two sounds."""

_ZERO_POWER = 1e-30
"""Power that replaces 0, so that it has a logarithm."""


class SilenceMeter:
    """Measures the level of each frame of mono audio that is added block by block.

    24 hours of audio take 35 MB.
    """

    def __init__(self, sample_rate: int) -> None:
        """`sample_rate` is in Hz."""
        self._sample_rate = sample_rate
        self._frame_samples = round(sample_rate / FRAMES_PER_SECOND)
        self._rest = np.empty(0, np.float32)
        self._moments: list[Float32] = []

    def add(self, mono: Float32) -> None:
        """Add the track's next samples, shape (n,), with full scale at ±1."""
        samples = np.concatenate((self._rest, mono))
        used = len(samples) // self._frame_samples * self._frame_samples
        self._rest = samples[used:].copy()
        self._moments.append(_moments(samples[:used].reshape(-1, self._frame_samples)))

    def silence(self) -> Silence | None:
        """Return the silent parts of the added audio, or None if all of it is silent."""
        last = [_moments(self._rest[np.newaxis])] if len(self._rest) else []
        mean, power = np.concatenate([*self._moments, *last], axis=1).astype(np.float64)
        is_silent = _is_silent(power)
        if is_silent.all():
            return None
        samples = np.full(len(power), self._frame_samples)
        if last:
            samples[-1] = len(self._rest)
        edges = np.concatenate(([0], np.cumsum(samples))) / self._sample_rate
        parts = _silent_parts(is_silent)
        weights = samples.astype(np.float64)
        for first, stop in parts:
            weights[first:stop] = 0
        kept = weights.sum()
        offset = weights @ mean / kept
        return Silence(
            parts=tuple((float(edges[first]), float(edges[stop])) for first, stop in parts),
            share=float(1 - kept / samples.sum()),
            sounding_rms_dbfs=10 * math.log10(weights @ (power + (mean - offset) ** 2) / kept),
        )


def _moments(frames: Float32) -> Float32:
    """Return the mean and the variance of each frame, shape (2, frames).

    `frames` has the shape (frames, samples).
    """
    centred = frames.astype(np.float64)
    mean = centred.mean(axis=1)
    centred -= mean[:, np.newaxis]
    np.square(centred, out=centred)
    return np.stack((mean, centred.mean(axis=1))).astype(np.float32)


def _is_silent(power: Float64) -> Bool:
    """Return for each frame whether it is below the track's threshold, shape (frames,)."""
    length = min(LOUDEST_SECONDS * FRAMES_PER_SECOND, len(power))
    sums = np.concatenate(([0.0], np.cumsum(power)))
    loudest = (sums[length:] - sums[:-length]).max() / length
    below_loudest = 10 * math.log10(loudest + _ZERO_POWER) - BELOW_LOUDEST_DB
    threshold = max(LOWEST_THRESHOLD_DBFS, min(HIGHEST_THRESHOLD_DBFS, below_loudest))
    is_silent: Bool = power < 10 ** (threshold / 10)
    return is_silent


def _silent_parts(is_silent: Bool) -> list[tuple[int, int]]:
    """Return the first frame of each silent part and the first frame after it."""
    edges = np.flatnonzero(np.diff(is_silent, prepend=False, append=False)).reshape(-1, 2)
    shortest = SHORTEST_SECONDS * FRAMES_PER_SECOND
    return [
        (int(first), int(stop))
        for first, stop in edges
        if stop - first >= shortest or first == 0 or stop == len(is_silent)
    ]

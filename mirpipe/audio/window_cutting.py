"""Cuts a stream of samples into windows of equal length and decides about the last window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mirpipe.audio.gain import apply_gain
from mirpipe.records import AudioSegment, Float32


@dataclass(frozen=True)
class WindowRequest:
    """The windows that one model takes: sample rate, length and gain."""

    sample_rate: int
    window_samples: int
    gain: float = 1.0
    """Linear factor that multiplies every sample."""
    keep_tail: bool = False
    """Whether the last window is kept even if it is less than half full."""


class WindowCutter:
    """Cuts the samples of one track into the windows of one request.

    Windows do not overlap. The last window may be shorter than the others. It is kept if it is at
    least half full, if it is the only window of the track, or if the request keeps all tails.
    """

    def __init__(self, request: WindowRequest) -> None:
        self.request = request
        self._rest = np.empty(0, dtype=np.float32)
        self._full_windows = 0

    def add(self, samples: Float32) -> Iterator[AudioSegment]:
        """Yield the windows that are full after these samples, which have the shape (n,)."""
        length = self.request.window_samples
        buffered = np.concatenate([self._rest, samples])
        full = len(buffered) // length
        # This is set before the first yield, because the caller may stop the iteration there.
        self._rest = buffered[full * length :].copy()
        self._full_windows += full
        for start in range(0, full * length, length):
            yield self._window(buffered[start : start + length])

    def finish(self, samples: Float32) -> Iterator[AudioSegment]:
        """Yield the remaining windows of the track, after its last samples."""
        yield from self.add(samples)
        is_half_full = 2 * len(self._rest) >= self.request.window_samples
        is_only_window = self._full_windows == 0
        if len(self._rest) and (self.request.keep_tail or is_half_full or is_only_window):
            yield self._window(self._rest)

    def _window(self, samples: Float32) -> AudioSegment:
        return AudioSegment(apply_gain(samples, self.request.gain), self.request.sample_rate)

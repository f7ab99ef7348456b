"""Cuts a sample stream into windows of equal length and decides whether the last one is kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mirpipe.audio.gain import apply_gain
from mirpipe.records import AudioSegment, Float32


@dataclass(frozen=True)
class WindowRequest:
    """The sample rate, length and gain of the windows that a model requires."""

    sample_rate: int
    window_samples: int
    gain: float = 1.0
    """Linear factor by which every sample is multiplied."""
    keep_tail: bool = False
    """Whether the last window is kept even if it is less than half full."""
    start_seconds: float = 0.0
    """Start of the first window, in seconds."""
    seconds: float | None = None
    """Total duration of the windows, in seconds. None means up to the end of the track."""


class WindowCutter:
    """Cuts one track's samples, or the part that is requested, into the windows of one request.

    Windows do not overlap. The last window may be shorter than the others. The last window is kept
    if it is at least half full, if it is the track's only window, or if the request has
    `keep_tail`.
    """

    def __init__(self, request: WindowRequest) -> None:
        self.request = request
        self._rest = np.empty(0, dtype=np.float32)
        self._full_windows = 0
        self._skipped_samples = round(request.start_seconds * request.sample_rate)
        self._samples_left = (
            None if request.seconds is None else round(request.seconds * request.sample_rate)
        )

    def add(self, samples: Float32) -> Iterator[AudioSegment]:
        """Yield the windows that these samples complete. `samples` has the shape (n,)."""
        length = self.request.window_samples
        buffered = np.concatenate([self._rest, self._requested_part(samples)])
        full = len(buffered) // length
        # The rest is stored before the first yield, because the caller may stop iterating at any
        # yield.
        self._rest = buffered[full * length :].copy()
        self._full_windows += full
        for start in range(0, full * length, length):
            yield self._window(buffered[start : start + length])

    def finish(self, samples: Float32) -> Iterator[AudioSegment]:
        """Add the track's last samples and yield its remaining windows."""
        yield from self.add(samples)
        is_half_full = 2 * len(self._rest) >= self.request.window_samples
        is_only_window = self._full_windows == 0
        if len(self._rest) and (self.request.keep_tail or is_half_full or is_only_window):
            yield self._window(self._rest)

    def _requested_part(self, samples: Float32) -> Float32:
        part = samples[self._skipped_samples :]
        self._skipped_samples -= len(samples) - len(part)
        if self._samples_left is not None:
            part = part[: self._samples_left]
            self._samples_left -= len(part)
        return part

    def _window(self, samples: Float32) -> AudioSegment:
        return AudioSegment(apply_gain(samples, self.request.gain), self.request.sample_rate)

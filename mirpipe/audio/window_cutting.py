"""Cuts a sample stream into windows of equal length and decides whether the last one is kept.

Silent parts are left out before the windows are cut, so no window contains a part of them. The
sounds before and after a silent part can share a window.
"""

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
    """Duration from which windows are cut, in seconds. None means up to the end of the track."""
    silent_parts: tuple[tuple[float, float], ...] = ()
    """Parts of the track that are left out: start and end of each one in seconds, ascending."""


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
        self._position = 0
        self._ranges = sounding_ranges(request)

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
        first, self._position = self._position, self._position + len(samples)
        while self._ranges and (end := self._ranges[0][1]) is not None and end <= first:
            self._ranges.pop(0)
        parts = [
            samples[max(0, start - first) : None if end is None else max(0, end - first)]
            for start, end in self._ranges
            if start < self._position
        ]
        return parts[0] if len(parts) == 1 else np.concatenate([*parts, samples[:0]])

    def _window(self, samples: Float32) -> AudioSegment:
        return AudioSegment(apply_gain(samples, self.request.gain), self.request.sample_rate)


def sounding_ranges(request: WindowRequest) -> list[tuple[int, int | None]]:
    """Return the ranges of samples from which the windows are cut, ascending.

    Each range has its first sample and the first sample after it, which is None for the range that
    extends to the end of the track.
    """
    rate = request.sample_rate
    start = round(request.start_seconds * rate)
    end = None if request.seconds is None else start + round(request.seconds * rate)
    ranges: list[tuple[int, int | None]] = []
    for silent_start, silent_end in request.silent_parts:
        first, stop = round(silent_start * rate), round(silent_end * rate)
        if end is not None and first >= end:
            break
        if first > start:
            ranges.append((start, first))
        start = max(start, stop)
    if end is None or start < end:
        ranges.append((start, end))
    return ranges

"""The outline of a track, from its samples as they are decoded."""

import numpy as np

from mirpipe.records import Float32

COLUMNS = 400
"""Of the picture, whatever the track's length."""
_FIRST_STRETCH = 64
_MOST_STRETCHES = 1 << 16
"""Even, so that stretches join in pairs: at 44.1 kHz up to 95 s are kept at 64 samples."""


class Peaks:
    """Takes mono samples, full scale ±1, and holds lowest and highest of equal stretches.

    Memory does not grow with the length: where there are too many stretches, each two become one.
    """

    def __init__(self) -> None:
        self._stretch = _FIRST_STRETCH
        self._low: list[Float32] = []
        self._high: list[Float32] = []
        self._held = 0
        self._rest = np.empty(0, np.float32)

    def add(self, mono: Float32) -> None:
        """The next samples, shape (n,)."""
        samples = np.concatenate((self._rest, mono))
        while len(samples) >= self._stretch:
            room = _MOST_STRETCHES - self._held
            take = min(len(samples) // self._stretch, room) * self._stretch
            stretches = samples[:take].reshape(-1, self._stretch)
            self._keep(stretches.min(axis=1), stretches.max(axis=1))
            samples = samples[take:]
            if self._held == _MOST_STRETCHES:
                self._join_pairs()
        self._rest = samples.copy()

    def packed(self) -> bytes:
        """`COLUMNS` pairs (lowest, highest) of signed bytes, 127 at full scale, which also clips.

        Raises ValueError where there was no sample.
        """
        lows = [*self._low, *([self._rest.min(keepdims=True)] if len(self._rest) else [])]
        highs = [*self._high, *([self._rest.max(keepdims=True)] if len(self._rest) else [])]
        low, high = np.concatenate(lows), np.concatenate(highs)
        starts = np.arange(COLUMNS) * len(low) // COLUMNS
        pairs = np.stack(
            (np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)), axis=1
        )
        return bytes(np.rint(np.clip(pairs, -1, 1) * 127).astype(np.int8))

    def _keep(self, low: Float32, high: Float32) -> None:
        self._low.append(low)
        self._high.append(high)
        self._held += len(low)

    def _join_pairs(self) -> None:
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        self._low, self._high, self._held = [], [], 0
        self._keep(low.reshape(-1, 2).min(axis=1), high.reshape(-1, 2).max(axis=1))
        self._stretch *= 2

"""Computes a track's waveform outline, which is drawn in a player."""

import numpy as np

from mirpipe.records import Float32

COLUMNS = 400
"""Width of the drawing in columns, for tracks of any length."""
_FIRST_SPAN_SAMPLES = 64
# 65,536 spans of 64 samples cover 95 s at 44.1 kHz without merging. The number of spans is even, so
# that they can be merged in pairs.
_MAX_SPANS = 1 << 16


class WaveformOutline:
    """Keeps the lowest and highest sample of each span of mono audio.

    All spans have the same length. Memory use does not grow with the track's length: when there are
    too many spans, neighbouring spans are merged in pairs.
    """

    def __init__(self) -> None:
        self._span_samples = _FIRST_SPAN_SAMPLES
        self._lowest: list[Float32] = []
        self._highest: list[Float32] = []
        self._spans = 0
        self._rest = np.empty(0, np.float32)

    def add(self, mono: Float32) -> None:
        """Add the track's next samples, shape (n,), with full scale at ±1."""
        samples = np.concatenate((self._rest, mono))
        while len(samples) >= self._span_samples:
            free_spans = _MAX_SPANS - self._spans
            used = min(len(samples) // self._span_samples, free_spans) * self._span_samples
            spans = samples[:used].reshape(-1, self._span_samples)
            if self._span_samples == _FIRST_SPAN_SAMPLES:  # Long rows are several times as fast.
                columns = np.ascontiguousarray(spans.T)
                self._append(columns.min(axis=0), columns.max(axis=0))
            else:
                self._append(spans.min(axis=1), spans.max(axis=1))
            samples = samples[used:]
            if self._spans == _MAX_SPANS:
                self._merge_pairs()
        self._rest = samples.copy()

    def packed(self, dc_offset: float = 0.0) -> bytes:
        """Return `COLUMNS` pairs of signed bytes: the lowest and highest sample of each column.

        127 is full scale; larger samples are clipped. `dc_offset` is subtracted. Raises ValueError
        if no sample was added.
        """
        lows = [*self._lowest, *([self._rest.min(keepdims=True)] if len(self._rest) else [])]
        highs = [*self._highest, *([self._rest.max(keepdims=True)] if len(self._rest) else [])]
        lowest, highest = np.concatenate(lows), np.concatenate(highs)
        starts = np.arange(COLUMNS) * len(lowest) // COLUMNS
        pairs = np.stack(
            (np.minimum.reduceat(lowest, starts), np.maximum.reduceat(highest, starts)), axis=1
        )
        return bytes(np.rint(np.clip(pairs - dc_offset, -1, 1) * 127).astype(np.int8))

    def _append(self, lowest: Float32, highest: Float32) -> None:
        self._lowest.append(lowest)
        self._highest.append(highest)
        self._spans += len(lowest)

    def _merge_pairs(self) -> None:
        lowest, highest = np.concatenate(self._lowest), np.concatenate(self._highest)
        self._lowest, self._highest, self._spans = [], [], 0
        self._append(lowest.reshape(-1, 2).min(axis=1), highest.reshape(-1, 2).max(axis=1))
        self._span_samples *= 2

"""Counts clipped samples: at least three neighbouring samples of a channel at full scale."""

import numpy as np

from mirpipe.records import Finding, Float32, Int64, Severity

_FULL_SCALE = 0.999
_FEWEST_SAMPLES = 30
_MANY_PER_SECOND = 10.0


class ClippingCounter:
    """The number of clipped samples of a track, and where they begin."""

    def __init__(self) -> None:
        self._clipped = 0
        self._frames = 0
        self._first: int | None = None

    def add(self, block: Float32, peak: float) -> None:
        """Add a block, shape (frames, channels), whose largest absolute sample is `peak`."""
        if peak >= _FULL_SCALE:
            starts = _run_starts(block)
            self._clipped += len(starts)
            if self._first is None and len(starts):
                self._first = self._frames + int(starts[0])
        self._frames += len(block)

    def findings(self, sample_rate: int) -> list[Finding]:
        """Return the finding about clipping, if there is one."""
        if self._first is None or self._clipped < _FEWEST_SAMPLES:
            return []
        per_second = self._clipped / self._frames * sample_rate
        first = self._first / sample_rate
        detail = (
            f"{self._clipped:,} samples are clipped ({per_second:,.1f} per second), the first at "
            f"{first:.1f} s."
        )
        severity: Severity = "warning" if per_second > _MANY_PER_SECOND else "info"
        return [Finding("clipping", severity, first, detail)]


def _run_starts(block: Float32) -> Int64:
    """Return the first frame of every three neighbouring samples of a channel at full scale.

    The result is in ascending order. Only the few samples at full scale are compared.
    """
    channels = block.shape[1]
    full: Int64 = np.flatnonzero(np.abs(block.ravel()) >= _FULL_SCALE)
    frames, channel = np.divmod(full, channels)
    by_channel = [frames[channel == each] for each in range(channels)]
    starts = [each[:-2][each[2:] - each[:-2] == 2] for each in by_channel]
    return np.sort(np.concatenate(starts))

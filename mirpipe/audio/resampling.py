"""Resamples mono audio block by block with soxr at quality HQ."""

import numpy as np
import soxr

from mirpipe.records import Float32


class StreamResampler:
    """Resamples one stream of mono blocks. If both rates are equal, the blocks stay unchanged."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        """Both rates are in Hz."""
        self._stream = (
            None
            if source_rate == target_rate
            else soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality="HQ")
        )

    def resample(self, block: Float32) -> Float32:
        """Return the resampled output that is available after this block, shape (n,)."""
        return block if self._stream is None else self._resample(block, is_last=False)

    def flush(self) -> Float32:
        """Return the resampled output that remains after the last block, shape (n,)."""
        no_samples = np.empty(0, dtype=np.float32)
        return no_samples if self._stream is None else self._resample(no_samples, is_last=True)

    def _resample(self, block: Float32, *, is_last: bool) -> Float32:
        assert self._stream is not None
        resampled: Float32 = self._stream.resample_chunk(block, last=is_last)
        return resampled

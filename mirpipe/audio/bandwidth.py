"""Finds a sharp upper limit of the spectrum, which lossy encoders and upsampling leave.

Music becomes quieter towards high frequencies gradually. A lossy encoder leaves out everything
above a frequency, and a file that was upsampled has nothing above half of its old sample rate.
"""

from collections.abc import Iterator

import numpy as np

from mirpipe.records import Finding, Float32, Float64

_FFT_SAMPLES = 8192
_BAND_HZ = 100.0
_DROP_DB = 20.0
_LOWEST_LIMIT_HZ = 3_000.0
# CD masters and anti-aliasing filters often end a little below half of the sample rate.
_HIGHEST_SHARE = 0.89
_LOSSLESS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "WavPack", "TTA", "TAK"}


class Spectrum:
    """The mean power spectrum of some frames of a track."""

    def __init__(self, sample_rate: int, container: str) -> None:
        """`sample_rate` is in Hz. Only in a lossless container, a limit is a finding."""
        self._sample_rate = sample_rate
        self._is_measured = container in _LOSSLESS
        self._power = np.zeros(_FFT_SAMPLES // 2 + 1)
        self._frames = 0
        self._window = np.hanning(_FFT_SAMPLES).astype(np.float32)

    def add(self, mono: Float32) -> None:
        """Add a block of mono samples, shape (n,), whose first samples are measured."""
        if not self._is_measured or len(mono) < _FFT_SAMPLES:
            return
        spectrum = np.fft.rfft(mono[:_FFT_SAMPLES] * self._window)
        self._power += np.abs(spectrum) ** 2
        self._frames += 1

    def findings(self) -> Iterator[Finding]:
        """Yield the finding about the upper limit, if a lossless file has one."""
        limit = self._limit()
        if limit is not None:
            detail = (
                f"There is nothing above {limit / 1000:.1f} kHz, although the sample rate is "
                f"{self._sample_rate / 1000:g} kHz. Either the file was made from a lossy file or "
                "from one with a lower sample rate, or its instruments have no higher sounds."
            )
            yield Finding("bandwidth", "info", None, detail)

    def _limit(self) -> float | None:
        """Return the upper limit of the spectrum in Hz, or None if there is no sharp one."""
        if not self._frames:
            return None
        levels = self._band_levels()
        highest = int(_HIGHEST_SHARE * self._sample_rate / 2 / _BAND_HZ)
        floor = np.median(levels[highest:])
        loud = np.flatnonzero(levels[:highest] > floor + _DROP_DB)
        limit = int(loud[-1]) + 1 if len(loud) else 0
        if not _LOWEST_LIMIT_HZ / _BAND_HZ <= limit < highest:
            return None
        # Medians are compared, because the highest partial of a tone is no limit.
        below, above = levels[max(0, limit - 20) : limit - 3], levels[limit + 5 : limit + 20]
        if not len(above) or np.median(below) - np.median(above) < _DROP_DB:
            return None
        return limit * _BAND_HZ

    def _band_levels(self) -> Float64:
        """Return the mean level of each band in dB, shape (bands,)."""
        frequencies = np.arange(len(self._power)) * self._sample_rate / _FFT_SAMPLES
        bands = (frequencies / _BAND_HZ).astype(int)
        power = np.bincount(bands, self._power) / np.maximum(1, np.bincount(bands))
        levels: Float64 = 10 * np.log10(power / self._frames + 1e-20)
        return levels

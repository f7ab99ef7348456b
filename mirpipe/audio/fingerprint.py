"""Computes the acoustic fingerprint of a track while it is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from mirpipe.audio import chromaprint
from mirpipe.audio.chromaprint import Computation
from mirpipe.audio.resampling import StreamResampler
from mirpipe.records import Fingerprint, Float32, Int16

MIN_VALUES = 40
"""Smallest number of values, for 7.6 s of audio. Tracks are compared over at least this length."""
SILENT_VALUE = 627_964_279
"""Chromaprint's value for digital silence."""


class FingerprintMeter:
    """Adds mono audio to a fingerprint as it is decoded. Only the values are kept."""

    def __init__(self, computation: Computation | None, revision: str, sample_rate: int) -> None:
        """Without a computation, nothing is computed. `sample_rate` is in Hz."""
        self._computation, self._revision = computation, revision
        self._resampler = StreamResampler(sample_rate, chromaprint.SAMPLE_RATE)

    def add(self, mono: Float32) -> None:
        """Add the track's next samples, shape (n,), with full scale at ±1."""
        if self._computation is not None:
            self._computation.add(_to_integers(self._resampler.resample(mono)))

    def fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint, or the reason why there is none: failed, too_short or silent.

        The result is None if nothing was computed. If Chromaprint has failed, the revision is
        empty, so that the fingerprint is computed again.
        """
        if self._computation is None:
            return None
        self._computation.add(_to_integers(self._resampler.flush()))
        frames = self._computation.finish()
        if frames is None:
            return Fingerprint("", None, "failed")
        values = chromaprint.to_values(frames)
        if len(values) < MIN_VALUES:
            return Fingerprint(self._revision, None, "too_short")
        if np.count_nonzero(values != SILENT_VALUE) < MIN_VALUES:
            return Fingerprint(self._revision, None, "silent")
        return Fingerprint(self._revision, frames)


@contextmanager
def fingerprinting(sample_rate: int, *, is_wanted: bool = True) -> Iterator[FingerprintMeter]:
    """Yield a meter for audio at this sample rate.

    It computes nothing if the fingerprint is not wanted, or if Chromaprint is not installed.
    """
    found = chromaprint.find_library() if is_wanted else None
    if found is None:
        yield FingerprintMeter(None, "", sample_rate)
        return
    with chromaprint.computing(found.library) as computation:
        yield FingerprintMeter(computation, found.revision, sample_rate)


def _to_integers(samples: Float32) -> Int16:
    """Return the samples with full scale at 32,768. Larger samples are clipped."""
    scaled = samples * np.float32(32768)
    np.clip(scaled, -32768, 32767, out=scaled)
    return scaled.astype(np.int16)

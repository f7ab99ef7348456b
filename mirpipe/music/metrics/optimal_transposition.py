"""Optimal transposition index (OTI): the transposition at which two melodies agree best.

Source: Serrà et al. 2008, IEEE TASLP 16, 1138.
"""

from threading import Lock

import numpy as np
from cachetools import LRUCache, cached
from numpy.typing import NDArray

from mirpipe.music.features.melody_pitch_classes import PITCH_CLASSES
from mirpipe.records import Float64, Int64, UInt8

_TRANSPOSED = (np.arange(PITCH_CLASSES) - np.arange(PITCH_CLASSES)[:, np.newaxis]) % PITCH_CLASSES
"""Pitch class that becomes each pitch class, by semitones upwards, shape (12, 12)."""

MAX_CACHED_BYTES = 1 << 27
"""Memory for the Fourier transforms of tracks that were compared recently."""


def equal_frame_counts(target: UInt8, reference: UInt8) -> Int64:
    """Return the number of equal frames for each transposition and circular shift, shape (12, n).

    Both sequences contain pitch classes, shape (n,), uint8. Row k, column s contains the number of
    frames i with target[i] == (reference[i − s] + k) % 12. The maximum of column 0 is therefore the
    agreement at the optimal transposition.

    All counts are computed by one FFT-based cross-correlation of the two piano rolls. They are
    rounded to integers, which makes them exact. The piano rolls are padded to more than twice their
    length, because an FFT whose length is a product of small primes is many times as fast.
    """
    from scipy import fft  # takes 0.4 s, and every task that plans work imports this module

    frames = len(target)
    length = fft.next_fast_len(2 * frames, real=True)
    product = _spectrum(target, length) * _spectrum(reference, length).conj()
    shifted = fft.irfft2(product, (PITCH_CLASSES, length))
    # A circular shift by s is a shift by s for the later frames, and by s - n for the first ones.
    circular = shifted[:, :frames] + shifted[:, length - frames :]
    counts: Int64 = np.rint(circular).astype(np.int64)
    return counts


@cached(
    LRUCache(MAX_CACHED_BYTES, getsizeof=lambda spectrum: int(spectrum.nbytes)),
    key=lambda pitch_classes, length: (pitch_classes.tobytes(), length),
    lock=Lock(),
)
def _spectrum(pitch_classes: UInt8, length: int) -> NDArray[np.complex64]:
    """Return the Fourier transform of a piano roll that is padded to `length` frames."""
    from scipy import fft

    # float32 takes half the time of float64. For the longest track, the counts have an error of
    # 0.001, which is removed by rounding.
    roll = np.zeros((PITCH_CLASSES, length), np.float32)
    roll[pitch_classes, np.arange(len(pitch_classes))] = 1
    spectrum: NDArray[np.complex64] = fft.rfft2(roll)
    return spectrum


def best_transpositions(moved: Float64, fixed: Float64, *, count: int) -> list[int]:
    """Return the `count` best transpositions of `moved`, in semitones upwards, best first.

    Both arrays are chroma, shape (frames, 12). The best transposition makes the pitch class totals
    of the two most similar. Of equally good transpositions, the smaller one comes first.
    """
    moved_total, fixed_total = moved.sum(axis=0), fixed.sum(axis=0)
    agreement = np.vecdot(moved_total[_TRANSPOSED], fixed_total)
    return [int(semitones) for semitones in np.argsort(-agreement, kind="stable")[:count]]

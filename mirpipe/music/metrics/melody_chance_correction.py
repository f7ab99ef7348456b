"""Melody accuracy beside chance: what of an agreement is more than two tracks share anyhow.

Two sequences of pitch classes, as `melody.transcribe` gives them, are cut to the shorter length n.
Chance is what this very pair gives at every circular time shift of at least 2 s either way, at its
own transposition: of another transposition any two tracks in one key would look good. From it come

- the null's 95 % point: the smallest accuracy that 95 % of the shifts do not exceed. One above it
  beats chance, as one unrelated pair in twenty does (one in ten, by its best key one in five, of
  those whose notes begin together from first to last: out of step, agreements vary less);
- chance-corrected accuracy, (accuracy - null mean) / (1 - null mean): 1 is identity, 0 chance; it
  has no lower bound;
- OTI accuracy: the best over 12 transpositions of one side, 0 … 1. Its null is best over the 12
  anew at every shift, so that the choice is no advantage: unrelated tracks give 0.12, not 0.085.
  Transpositions that tie have the same accuracy, which is all that is kept: no tie is broken.

Undefined, with a reason: `unpitched` (the argmax finds a pitch class in a drum loop too, and then
none of these has a meaning), `too_short` (see FEWEST_SHIFTS: below 8 s), `constant` (every shift
agrees in every frame, such as one long note with itself: nothing is left to agree beyond chance).

All counts, n shifts by 12 transpositions, are one circular cross-correlation of the two piano rolls
by FFT, rounded to the whole numbers that they are.

Source: the null by circular shifts is the usual one for series that are correlated in themselves
(Theiler et al. 1992, Physica D 58, 77); OTI: Serrà et al. 2008, IEEE TASLP 16, 1138.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from mirpipe.music.metrics.melody_accuracy import (
    HOP_SAMPLES,
    MELODY,
    PITCH_CLASSES,
    SAMPLE_RATE,
)
from mirpipe.records import Score, UInt8
from mirpipe.specs import MetricSpec

SHORTEST_SHIFT = ceil(2 * SAMPLE_RATE / HOP_SAMPLES)
"""In frames, 345: two seconds, longer than a note and than any sloppiness of timing."""
FEWEST_SHIFTS = 20 * ceil(0.2 * SAMPLE_RATE / HOP_SAMPLES)
"""A 95 % point takes twenty values, and shifts less than 0.2 s apart give much the same one."""


def _spec(name: str, unit: str, *, low: float | None = 0.0) -> MetricSpec:
    return MetricSpec(
        name=name,
        version=1,
        unit=unit,
        low=low,
        high=1.0,
        higher_is_better=True,
        citation=MELODY.citation,
        compares="melodies",
    )


CORRECTED = _spec("melody_accuracy_corrected", "share of what chance leaves", low=None)
NULL95 = _spec("melody_accuracy_null95", "share of frames")
OTI = _spec("melody_oti", "share of frames")
OTI_CORRECTED = _spec("melody_oti_corrected", "share of what chance leaves", low=None)
OTI_NULL95 = _spec("melody_oti_null95", "share of frames")


SPECS = {
    "corrected": CORRECTED,
    "null95": NULL95,
    "oti": OTI,
    "oti_corrected": OTI_CORRECTED,
    "oti_null95": OTI_NULL95,
}
"""By field of BesideChance."""


@dataclass(frozen=True)
class BesideChance:
    """What one pair of melodies gives beyond its course accuracy."""

    corrected: Score
    null95: Score
    oti: Score
    oti_corrected: Score
    oti_null95: Score

    @classmethod
    def undefined(cls, reason: str) -> "BesideChance":
        """All of them, for the same reason."""
        return cls(*[Score(None, reason)] * 5)


def beside_chance(target: UInt8, reference: UInt8) -> BesideChance:
    """All numbers of two pitched tracks' sequences, shapes (n,) and (m,), in 1 ms for 15 s."""
    frames = min(len(target), len(reference))
    if frames == 0:
        return BesideChance.undefined("too_short")
    counts = agreements(target[:frames], reference[:frames])
    best = counts.max(axis=0)
    corrected, null95 = _against_shifts(counts[0])
    oti_corrected, oti_null95 = _against_shifts(best)
    return BesideChance(
        corrected, null95, Score(float(best[0] / frames)), oti_corrected, oti_null95
    )


def agreements(target: UInt8, reference: UInt8) -> NDArray[np.int64]:
    """Equal frames by transposition and circular shift of the reference: shape (12, n).

    Row k, column s: target[i] == (reference[i - s] + k) % 12, counted over i; both of shape (n,).
    """
    shape = (PITCH_CLASSES, len(target))
    product = _spectrum(target) * _spectrum(reference).conj()
    return np.rint(fft.irfft2(product, shape)).astype(np.int64)


def _spectrum(pitch_classes: UInt8) -> NDArray[np.complex64]:
    # In float32, twice as fast: the longest track's counts are off by 0.001, and are rounded.
    roll = np.zeros((PITCH_CLASSES, len(pitch_classes)), np.float32)
    roll[pitch_classes, np.arange(len(pitch_classes))] = 1
    spectrum: NDArray[np.complex64] = fft.rfft2(roll)
    return spectrum


def _against_shifts(counts: NDArray[np.int64]) -> tuple[Score, Score]:
    """Corrected value and 95 % point of equal frames by shift, of which 0 is the pair as it is."""
    frames = len(counts)
    null = counts[SHORTEST_SHIFT : frames - SHORTEST_SHIFT + 1]
    if len(null) < FEWEST_SHIFTS:
        return Score(None, "too_short"), Score(None, "too_short")
    at = ceil(0.95 * len(null)) - 1
    point = Score(float(np.partition(null, at)[at] / frames))
    mean = null.mean()
    if mean == frames:
        return Score(None, "constant"), point
    return Score(float((counts[0] - mean) / (frames - mean))), point

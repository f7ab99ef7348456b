"""Chance correction for melody accuracy: how much two melodies agree beyond chance.

Two pitch class sequences are cut to the length n of the shorter one. Frames in which one of the
tracks is silent are removed from both, and the other frames are joined. Agreement by chance is
measured on the same pair, with one sequence shifted in time by every circular shift of at least 2 s
in either direction. The transposition stays the same, because two tracks in the same key agree by
chance more often than two tracks in different keys. The accuracies at all shifts are a null
distribution, from which these numbers are computed:

- the 95% point: the smallest accuracy that 95% of the shifts do not exceed. An accuracy above the
  95% point is better than chance. This is the case for one in twenty unrelated pairs. If the notes
  of both tracks start at the same times throughout, it is the case for one in ten pairs (for one in
  five in the best key), because shifted sequences are out of step and their accuracies vary less.
- the corrected accuracy, (accuracy − null mean) / (1 − null mean): 1 for identical melodies, 0 for
  agreement by chance, and no lower bound.
- the OTI accuracy: the best accuracy over 12 transpositions of one track, 0 … 1. Its null
  distribution contains the best accuracy over 12 transpositions at every shift, so that choosing
  the best gives no advantage. The OTI accuracy of unrelated tracks is 0.12, whereas their melody
  accuracy is 0.085.

The numbers are undefined for these reasons: `no_common_sound` (the tracks never sound at the same
time), `unpitched` (the numbers have no meaning for a drum
loop), `too_short` (fewer than FEWEST_SHIFTS shifts, that is, less than 8 s) and `constant` (all
frames agree at every shift, as in a single long note, so no agreement can be better than chance).

Sources: circular shifts are the usual null distribution for autocorrelated series (Theiler et al.
1992, Physica D 58, 77). The OTI is from Serrà et al. 2008, IEEE TASLP 16, 1138.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from mirpipe.music.features.melody_pitch_classes import HOP_SAMPLES, MELODY, SAMPLE_RATE
from mirpipe.music.metrics.optimal_transposition import equal_frame_counts
from mirpipe.music.metrics.sounding_frames import sounding_frames
from mirpipe.records import Int64, Score, UInt8
from mirpipe.specs import MetricSpec

SHORTEST_SHIFT = ceil(2 * SAMPLE_RATE / HOP_SAMPLES)
"""Smallest shift in frames: 345, which is 2 s, longer than a note or a timing error."""
FEWEST_SHIFTS = 20 * ceil(0.2 * SAMPLE_RATE / HOP_SAMPLES)
"""Smallest number of shifts. A 95% point needs 20 values that are at least 0.2 s apart."""


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


SPECS = {
    "corrected": _spec("melody_accuracy_corrected", "share of agreement beyond chance", low=None),
    "null95": _spec("melody_accuracy_null95", "share of frames"),
    "oti": _spec("melody_oti", "share of frames"),
    "oti_corrected": _spec("melody_oti_corrected", "share of agreement beyond chance", low=None),
    "oti_null95": _spec("melody_oti_null95", "share of frames"),
}
"""The metrics, by field of ChanceCorrection."""


@dataclass(frozen=True)
class ChanceCorrection:
    """The numbers that compare two melodies' agreement with agreement by chance."""

    corrected: Score
    """Melody accuracy, corrected for chance."""
    null95: Score
    """95% point of the melody accuracy over all other shifts."""
    oti: Score
    """Melody accuracy in the best of 12 transpositions."""
    oti_corrected: Score
    """OTI accuracy, corrected for chance."""
    oti_null95: Score
    """95% point of the OTI accuracy over all other shifts."""

    @classmethod
    def undefined(cls, reason: str) -> "ChanceCorrection":
        """Return a record in which all numbers are undefined for the same reason."""
        return cls(*[Score(None, reason)] * 5)


def correct_for_chance(target: UInt8, reference: UInt8) -> ChanceCorrection:
    """Return all numbers for the pitch classes of two pitched tracks, shapes (n,) and (m,), uint8.

    The computation takes 0.2 ms for two tracks of 15 s that were compared before.
    """
    if not len(target) or not len(reference):
        return ChanceCorrection.undefined("too_short")
    target, reference = sounding_frames(target, reference)
    if not len(target):
        return ChanceCorrection.undefined("no_common_sound")
    counts = equal_frame_counts(target, reference)
    best = counts.max(axis=0)
    corrected, null95 = _compare_with_shifts(counts[0])
    oti_corrected, oti_null95 = _compare_with_shifts(best)
    return ChanceCorrection(
        corrected, null95, Score(float(best[0] / len(target))), oti_corrected, oti_null95
    )


def _compare_with_shifts(counts: Int64) -> tuple[Score, Score]:
    """Return the corrected accuracy and the 95% point.

    `counts` contains the number of equal frames at each circular shift, shape (n,). Shift 0 is the
    unshifted pair.
    """
    frames = len(counts)
    null = counts[SHORTEST_SHIFT : frames - SHORTEST_SHIFT + 1]
    if len(null) < FEWEST_SHIFTS:
        return Score(None, "too_short"), Score(None, "too_short")
    index = ceil(0.95 * len(null)) - 1
    null95 = Score(float(np.partition(null, index)[index] / frames))
    mean = null.mean()
    if mean == frames:
        return Score(None, "constant"), null95
    return Score(float((counts[0] - mean) / (frames - mean))), null95

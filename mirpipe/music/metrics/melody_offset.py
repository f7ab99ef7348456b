"""Melody offset: the shift in time at which two melodies agree best, and their accuracy there.

Encoders and players add silence at the start of a track: an MP3 without data for gapless playback
starts 25 ms late. Melody accuracy compares frames at the same time, so a short shift lowers it: for
tracks of the demo library and their own MP3 files to 0.53 … 0.86. The offset shows such a shift.

Every shift of at most 150 ms in either direction is tried, in steps of one frame of the melody
(256 samples at 44.1 kHz, 5.8 ms). The accuracy at a shift is the share of frames in which both
tracks have the same pitch class, among the frames in which both sound. Without a shift, it is the
melody accuracy. The best of 51 shifts is chosen, so for unrelated tracks the accuracy is a little
above the melody accuracy that chance gives. Shifts with less than half as much common sound as
another one are left out. Of equally good shifts, the shortest one counts, and of two equally short
ones the negative one. A positive offset means that the second track, the match or clip, is late.

Both numbers are undefined for the reasons `too_short`, `no_common_sound` and `unpitched`.
mir_eval compares melodies only at the same time, so it has no function for this.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mirpipe.music.features.melody_pitch_classes import (
    HOP_SAMPLES,
    MELODY,
    PITCH_CLASSES,
    SAMPLE_RATE,
)
from mirpipe.records import Int64, Score, UInt8
from mirpipe.specs import MetricSpec

MAX_OFFSET_SECONDS = 0.15
MAX_OFFSET_FRAMES = int(MAX_OFFSET_SECONDS * SAMPLE_RATE / HOP_SAMPLES)
"""Largest shift in frames: 25, which is 145 ms."""
_SHIFTS = np.arange(-MAX_OFFSET_FRAMES, MAX_OFFSET_FRAMES + 1)
_SHORTEST_FIRST = np.argsort(np.abs(_SHIFTS), kind="stable")
_SMALLEST_COMMON_SHARE = 0.5
_NO_FRAME = np.uint8(255)
"""Differs from all pitch classes and from the code of a silent frame."""

SPECS = {
    "offset": MetricSpec(
        name="melody_offset",
        version=1,
        unit="s",
        low=-MAX_OFFSET_SECONDS,
        high=MAX_OFFSET_SECONDS,
        higher_is_better=None,
        citation=MELODY.citation,
        compares="melodies",
    ),
    "accuracy": MetricSpec(
        name="melody_accuracy_shifted",
        version=1,
        unit="share of frames",
        low=0.0,
        high=1.0,
        higher_is_better=True,
        citation=MELODY.citation,
        compares="melodies",
    ),
}
"""The metrics, by field of BestOffset."""


@dataclass(frozen=True)
class BestOffset:
    """The best alignment of two melodies in time."""

    offset: Score
    """Seconds by which the second track is late, a multiple of the melody's hop."""
    accuracy: Score
    """Melody accuracy at this offset."""

    @classmethod
    def undefined(cls, reason: str) -> "BestOffset":
        """Return a record in which both numbers are undefined for the same reason."""
        return cls(Score(None, reason), Score(None, reason))


def best_offset(target: UInt8, reference: UInt8) -> BestOffset:
    """Return the best offset of two pitch class sequences, and the accuracy there.

    The shapes are (n,) and (m,), dtype uint8. Two tracks of 15 s take 0.04 ms.
    """
    if not len(target) or not len(reference):
        return BestOffset.undefined("too_short")
    equal, common = _counts_by_shift(target, reference)
    if not common.any():
        return BestOffset.undefined("no_common_sound")
    is_possible = common >= _SMALLEST_COMMON_SHARE * common.max()
    accuracy = np.where(is_possible, equal / np.maximum(common, 1), -1.0)[_SHORTEST_FIRST]
    best = int(accuracy.argmax())
    frames = int(_SHIFTS[_SHORTEST_FIRST][best])
    return BestOffset(Score(frames * HOP_SAMPLES / SAMPLE_RATE), Score(float(accuracy[best])))


def _counts_by_shift(target: UInt8, reference: UInt8) -> tuple[Int64, Int64]:
    """Return the number of equal frames, and of frames in which both sound, for each shift."""
    sounds, also_sounds = target < PITCH_CLASSES, reference < PITCH_CLASSES
    if sounds.all() and also_sounds.all():
        stops = np.minimum(len(target), len(reference) - _SHIFTS)
        return _equal_frames(target, reference), np.maximum(0, stops - np.maximum(0, -_SHIFTS))
    equal = _equal_frames(target, np.where(also_sounds, reference, _NO_FRAME))
    ones = np.where(also_sounds, np.uint8(True), _NO_FRAME)
    return equal, _equal_frames(sounds.view(np.uint8), ones)


def _equal_frames(target: UInt8, reference: UInt8) -> Int64:
    """Return the number of frames i with target[i] == reference[i + shift], for each shift.

    Frames without a partner do not count.
    """
    padding = np.full(MAX_OFFSET_FRAMES, _NO_FRAME, np.uint8)
    rest = np.full(max(0, len(target) - len(reference)), _NO_FRAME, np.uint8)
    padded = np.concatenate((padding, reference, rest, padding))
    is_equal = sliding_window_view(padded, len(target))[: len(_SHIFTS)] == target
    counts: Int64 = np.bitwise_count(np.packbits(is_equal, axis=1)).sum(axis=1, dtype=np.int64)
    return counts

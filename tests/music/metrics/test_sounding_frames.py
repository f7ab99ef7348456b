"""Melody metrics leave out the frames in which one of the tracks is silent."""

import numpy as np
import pytest

from mirpipe.music.features.melody_pitch_classes import SILENT_FRAME
from mirpipe.music.metrics.melody_accuracy import accuracy
from mirpipe.music.metrics.melody_chance_correction import ChanceCorrection, correct_for_chance
from mirpipe.records import Score, UInt8

RANDOM = np.random.default_rng(0)
TARGET = RANDOM.integers(0, 12, 300, dtype=np.uint8).repeat(8)
REFERENCE = np.where(RANDOM.random(300).repeat(8) < 0.4, TARGET, TARGET[::-1]).astype(np.uint8)


def silent(frames: int) -> UInt8:
    return np.full(frames, SILENT_FRAME, np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_silence_in_either_track_changes_no_metric(seed: int) -> None:
    """Silent frames are inserted at the same places, but in only one of the tracks at a time."""
    random = np.random.default_rng(seed)
    places = np.sort(random.integers(0, len(TARGET), 4))
    target, reference = TARGET, REFERENCE
    for number, place in enumerate(places[::-1]):
        gap, other = silent(500), random.integers(0, 13, 500, dtype=np.uint8)
        first, second = (gap, other) if number % 2 else (other, gap)
        target = np.insert(target, place, first)
        reference = np.insert(reference, place, second)
    assert accuracy(target, reference) == accuracy(TARGET, REFERENCE)
    assert correct_for_chance(target, reference) == correct_for_chance(TARGET, REFERENCE)


def test_silence_does_not_agree_with_silence() -> None:
    other = (TARGET + 6) % 12
    padded = np.concatenate([TARGET, silent(10_000)])
    assert accuracy(padded, np.concatenate([other, silent(10_000)])) == Score(0.0)


def test_tracks_that_never_sound_together_have_a_reason() -> None:
    late = np.concatenate([silent(len(TARGET)), TARGET])
    assert accuracy(late, TARGET) == Score(None, "no_common_sound")
    assert correct_for_chance(late, TARGET) == ChanceCorrection.undefined("no_common_sound")

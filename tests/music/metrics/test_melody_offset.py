"""The best offset of two melodies finds a shift, and the accuracy there is mir_eval's."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.features.melody_pitch_classes import (
    HOP_SAMPLES,
    SAMPLE_RATE,
    SILENT_FRAME,
    transcribe_melody,
)
from mirpipe.music.metrics.melody_accuracy import accuracy
from mirpipe.music.metrics.melody_offset import (
    MAX_OFFSET_FRAMES,
    MAX_OFFSET_SECONDS,
    SPECS,
    BestOffset,
    best_offset,
)
from mirpipe.records import Score, UInt8
from tests.music.synthetic_tunes import tune

HOP_SECONDS = HOP_SAMPLES / SAMPLE_RATE
FRAMES = st.integers(0, SILENT_FRAME)
SEQUENCES = arrays(np.uint8, st.integers(1, 300), elements=FRAMES)
MELODIES = arrays(np.uint8, st.integers(120, 400), elements=st.integers(0, 11))
SHIFTS = st.integers(-MAX_OFFSET_FRAMES, MAX_OFFSET_FRAMES)


def accuracy_at(target: UInt8, reference: UInt8, shift: int) -> tuple[Score, int]:
    """Return the accuracy after moving the reference, and the number of common frames."""
    first, second = target[max(0, -shift) :], reference[max(0, shift) :]
    frames = min(len(first), len(second))
    both = (first[:frames] < SILENT_FRAME) & (second[:frames] < SILENT_FRAME)
    return accuracy(first, second), int(both.sum())


@given(MELODIES, SHIFTS)
def test_a_melody_that_is_shifted_has_this_offset_and_accuracy_1(melody: UInt8, shift: int) -> None:
    target, reference = melody[max(0, shift) :], melody[max(0, -shift) :]
    found = best_offset(target, reference)
    assert found.accuracy == Score(1.0)
    assert found.offset.value is not None
    frames = round(found.offset.value / HOP_SECONDS)
    assert found.offset.value == pytest.approx(frames * HOP_SECONDS)
    # A melody that repeats itself also agrees with itself after a shorter shift.
    assert frames == shift or (abs(frames), frames) < (abs(shift), shift)
    assert accuracy_at(target, reference, frames)[0] == Score(1.0)


@pytest.mark.parametrize("late", [-25, -4, 0, 1, 25])
def test_the_offset_is_positive_if_the_second_track_is_late(late: int) -> None:
    melody = np.random.default_rng(0).integers(0, 12, 500, dtype=np.uint8)
    silence = np.full(abs(late), SILENT_FRAME, np.uint8)
    delayed = np.concatenate((silence, melody))
    pair = (melody, delayed) if late > 0 else (delayed, melody)
    assert best_offset(*pair) == BestOffset(Score(late * HOP_SAMPLES / SAMPLE_RATE), Score(1.0))


def test_a_tune_with_the_delay_of_an_mp3_agrees_at_the_offset() -> None:
    target, reference = (
        transcribe_melody(tune(late_seconds=seconds)).pitch_classes for seconds in (0.0, 0.025)
    )
    assert target is not None
    assert reference is not None
    found = best_offset(target, reference)
    assert found.offset.value == pytest.approx(0.025, abs=HOP_SECONDS)
    assert (accuracy(target, reference).value or 0) < 0.92 < 0.97 < (found.accuracy.value or 0)


@given(SEQUENCES, SEQUENCES)
def test_no_other_shift_is_better_and_no_equally_good_one_is_shorter(
    target: UInt8, reference: UInt8
) -> None:
    found = best_offset(target, reference)
    shifts = sorted(range(-MAX_OFFSET_FRAMES, MAX_OFFSET_FRAMES + 1), key=lambda k: (abs(k), k))
    each = {shift: accuracy_at(target, reference, shift) for shift in shifts}
    most = max(common for _, common in each.values())
    if not most:
        assert found == BestOffset.undefined("no_common_sound")
        return
    possible = {k: score.value for k, (score, common) in each.items() if common >= most / 2}
    best = max(possible, key=lambda shift: possible[shift] or 0.0)
    assert found == BestOffset(Score(best * HOP_SAMPLES / SAMPLE_RATE), Score(possible[best]))


@given(MELODIES, st.integers(0, 2**31))
def test_the_accuracy_is_mir_evals_raw_chroma_accuracy_after_the_shift(
    melody: UInt8, seed: int
) -> None:
    random = np.random.default_rng(seed)
    other = np.where(random.random(len(melody)) < 0.5, melody, random.integers(0, 12, len(melody)))
    reference = np.roll(other, random.integers(-20, 20)).astype(np.uint8)
    found = best_offset(melody, reference)
    assert found.offset.value is not None
    shift = round(found.offset.value / HOP_SECONDS)
    first, second = melody[max(0, -shift) :], reference[max(0, shift) :]
    frames = min(len(first), len(second))
    cents = [100.0 * side[:frames] + 6_000 for side in (first, second)]
    voicing = np.ones(frames)
    expected = mir_eval.melody.raw_chroma_accuracy(voicing, cents[0], voicing, cents[1])
    assert found.accuracy.value == pytest.approx(expected, abs=1e-12)


@given(SEQUENCES)
def test_equal_melodies_have_no_offset(melody: UInt8) -> None:
    expected = BestOffset(Score(0.0), Score(1.0))
    if (melody == SILENT_FRAME).all():
        expected = BestOffset.undefined("no_common_sound")
    assert best_offset(melody, melody) == expected


def test_a_short_common_sound_does_not_give_the_best_offset() -> None:
    """Only the first frame of the reference agrees. At some shifts, no other frame is common."""
    target = np.repeat([0, SILENT_FRAME], [12, 60]).astype(np.uint8)
    reference = np.repeat([0, 7, SILENT_FRAME], [1, 11, 60]).astype(np.uint8)
    expected = BestOffset(Score(-6 * HOP_SAMPLES / SAMPLE_RATE), Score(1 / 6))
    assert best_offset(target, reference) == expected


def test_empty_melodies_are_too_short() -> None:
    empty = np.empty(0, np.uint8)
    assert best_offset(empty, np.zeros(9, np.uint8)) == BestOffset.undefined("too_short")


def test_the_largest_offset_is_within_the_declared_range() -> None:
    assert SPECS["offset"].high == MAX_OFFSET_SECONDS == -(SPECS["offset"].low or 0)
    assert MAX_OFFSET_SECONDS - HOP_SECONDS < MAX_OFFSET_FRAMES * HOP_SECONDS < MAX_OFFSET_SECONDS

"""Chance correction for melody accuracy: exact numbers, null distributions and reasons."""

import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.music.features.melody_pitch_classes import SILENT_FRAME
from mirpipe.music.metrics import melody_accuracy, optimal_transposition
from mirpipe.music.metrics.melody_chance_correction import (
    FEWEST_SHIFTS,
    SHORTEST_SHIFT,
    SPECS,
    ChanceCorrection,
    correct_for_chance,
)
from mirpipe.music.metrics.optimal_transposition import equal_frame_counts
from mirpipe.records import Score
from tests.music.metrics.test_optimal_transposition import count_directly, quarter_second_notes

SHORTEST = 2 * SHORTEST_SHIFT + FEWEST_SHIFTS - 1
"""Smallest number of frames that allows enough shifts for a null distribution."""


def test_numbers_equal_a_direct_comparison_of_every_shift() -> None:
    target = quarter_second_notes(0, SHORTEST + 100)
    reference = quarter_second_notes(1, SHORTEST)
    n = SHORTEST
    shifts = range(SHORTEST_SHIFT, n - SHORTEST_SHIFT + 1)
    assert len(shifts) == FEWEST_SHIFTS

    def count(semitones: int, shift: int) -> int:
        return count_directly(target[:n], reference, semitones, shift)

    null = np.array([count(0, shift) for shift in shifts]) / n
    best = np.array([max(count(k, shift) for k in range(12)) for shift in shifts]) / n
    accuracy = melody_accuracy.accuracy(target, reference).value
    oti = max(count(k, 0) for k in range(12)) / n

    found = correct_for_chance(target, reference)

    assert found.corrected.value == pytest.approx((accuracy - null.mean()) / (1 - null.mean()))
    assert found.null95.value == pytest.approx(np.quantile(null, 0.95, method="inverted_cdf"))
    assert found.oti == Score(oti)
    assert found.oti_corrected.value == pytest.approx((oti - best.mean()) / (1 - best.mean()))
    assert found.oti_null95.value == pytest.approx(np.quantile(best, 0.95, method="inverted_cdf"))


def test_95_percent_point_is_the_smallest_value_that_95_percent_do_not_exceed() -> None:
    target, reference = quarter_second_notes(2, 3000), quarter_second_notes(3, 3000)
    counts = equal_frame_counts(target, reference)[0]
    null = counts[SHORTEST_SHIFT : 3000 - SHORTEST_SHIFT + 1] / 3000
    point = correct_for_chance(target, reference).null95.value
    assert point is not None
    assert np.mean(null <= point) >= 0.95
    assert np.mean(null < point) < 0.95


def test_target_and_reference_can_be_swapped() -> None:
    target, reference = quarter_second_notes(4, 3000), quarter_second_notes(5, 2500)
    assert correct_for_chance(target, reference) == correct_for_chance(reference, target)


def test_identity_gives_1_and_a_transposition_gives_1_in_the_best_key() -> None:
    tune = quarter_second_notes(0, 3000)
    same = correct_for_chance(tune, tune)
    assert (same.corrected, same.oti, same.oti_corrected) == (Score(1.0),) * 3
    higher = correct_for_chance(tune, ((tune + 5) % 12).astype(np.uint8))
    assert (higher.oti, higher.oti_corrected) == (Score(1.0),) * 2
    assert higher.corrected.value is not None
    assert higher.corrected.value < 0


def test_too_few_shifts_for_a_95_percent_point_give_a_reason() -> None:
    reference = quarter_second_notes(1, 5000)
    short = correct_for_chance(quarter_second_notes(0, SHORTEST - 1), reference)
    reason = Score(None, "too_short")
    assert (short.corrected, short.null95, short.oti_corrected, short.oti_null95) == (reason,) * 4
    assert short.oti.value is not None
    enough = correct_for_chance(quarter_second_notes(0, SHORTEST), reference)
    assert enough.null95.value is not None


def test_no_frames_give_a_reason() -> None:
    empty = np.empty(0, dtype=np.uint8)
    found = correct_for_chance(empty, quarter_second_notes(0, 9))
    assert found == ChanceCorrection.undefined("too_short")


def test_one_long_note_in_both_tracks_cannot_agree_beyond_chance() -> None:
    long_note = np.full(3000, 9, dtype=np.uint8)
    found = correct_for_chance(long_note, long_note)
    assert found.corrected == found.oti_corrected == Score(None, "constant")
    assert found.null95 == found.oti == found.oti_null95 == Score(1.0)


def test_every_number_has_its_own_metric() -> None:
    names = [spec.name for spec in SPECS.values()]
    assert len(set(names)) == len(names) == 5
    found = correct_for_chance(quarter_second_notes(0, 9), quarter_second_notes(1, 9))
    assert set(SPECS) == set(vars(found))


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_numbers_do_not_depend_on_which_pairs_were_compared_before(data: st.DataObject) -> None:
    length = st.one_of(st.integers(0, 3), st.integers(SHORTEST - 2, SHORTEST + 50))
    melodies = []
    for seed, frames in enumerate(data.draw(st.lists(length, min_size=1, max_size=4))):
        melody = quarter_second_notes(seed, frames)
        if data.draw(st.booleans()):
            melody[frames // 3 : frames // 2] = SILENT_FRAME
        melodies.append(melody)
    pairs = list(itertools.product(melodies, repeat=2))
    with mock.patch.object(
        optimal_transposition, "_spectrum", optimal_transposition._spectrum.__wrapped__
    ):
        expected = [correct_for_chance(*pair) for pair in pairs]
    assert [correct_for_chance(*pair) for pair in pairs + pairs] == expected + expected

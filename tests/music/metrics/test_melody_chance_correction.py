"""Melody accuracy beside chance: exact counts, nulls and reasons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.metrics import melody_accuracy, melody_chance_correction
from mirpipe.music.metrics.melody_chance_correction import (
    FEWEST_SHIFTS,
    SHORTEST_SHIFT,
    agreements,
    beside_chance,
)
from mirpipe.records import Score

SHORTEST = 2 * SHORTEST_SHIFT + FEWEST_SHIFTS - 1
"""The fewest frames that have a null."""


def notes(seed: int, frames: int) -> np.ndarray:
    """Notes of a quarter of a second."""
    found = np.random.default_rng(seed).integers(0, 12, frames // 43 + 1)
    return np.repeat(found, 43)[:frames].astype(np.uint8)


def by_hand(target: np.ndarray, reference: np.ndarray, k: int, s: int) -> int:
    return int(np.count_nonzero(target == (np.roll(reference, s) + k) % 12))


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(*[arrays(np.uint8, n, elements=st.integers(0, 11))] * 2)
    )
)
def test_counts_of_all_shifts_and_transpositions_are_those_of_counting(
    sides: tuple[np.ndarray, np.ndarray],
) -> None:
    n = len(sides[0])
    counted = [[by_hand(*sides, k, s) for s in range(n)] for k in range(12)]
    np.testing.assert_array_equal(agreements(*sides), counted)


def test_counts_of_twenty_minutes_are_exact() -> None:
    one, other = notes(0, 206_719), notes(1, 206_719)  # a prime: the hardest for an FFT
    found = agreements(one, other)
    for k, s in ((0, 0), (3, 345), (11, 100_001), (7, 206_718)):
        assert found[k, s] == by_hand(one, other, k, s)


def test_numbers_are_those_of_comparing_every_shift_by_hand() -> None:
    one, other = notes(0, SHORTEST + 100), notes(1, SHORTEST)
    n = SHORTEST
    shifts = range(SHORTEST_SHIFT, n - SHORTEST_SHIFT + 1)
    assert len(shifts) == FEWEST_SHIFTS
    null = np.array([by_hand(one[:n], other, 0, s) for s in shifts]) / n
    best = np.array([max(by_hand(one[:n], other, k, s) for k in range(12)) for s in shifts]) / n
    accuracy = melody_accuracy.accuracy(one, other).value
    oti = max(by_hand(one[:n], other, k, 0) for k in range(12)) / n

    found = beside_chance(one, other)

    assert found.corrected.value == pytest.approx((accuracy - null.mean()) / (1 - null.mean()))
    assert found.null95.value == pytest.approx(np.quantile(null, 0.95, method="inverted_cdf"))
    assert found.oti == Score(oti)
    assert found.oti_corrected.value == pytest.approx((oti - best.mean()) / (1 - best.mean()))
    assert found.oti_null95.value == pytest.approx(np.quantile(best, 0.95, method="inverted_cdf"))


def test_the_95_percent_point_is_the_smallest_that_95_percent_do_not_exceed() -> None:
    one, other = notes(2, 3000), notes(3, 3000)
    null = agreements(one, other)[0][SHORTEST_SHIFT : 3000 - SHORTEST_SHIFT + 1] / 3000
    point = beside_chance(one, other).null95.value
    assert point is not None
    assert np.mean(null <= point) >= 0.95
    assert np.mean(null < point) < 0.95


def test_it_does_not_matter_which_side_is_the_target() -> None:
    one, other = notes(4, 3000), notes(5, 2500)
    assert beside_chance(one, other) == beside_chance(other, one)


def test_identity_is_1_and_a_transposition_of_it_is_1_in_the_best_key() -> None:
    tune = notes(0, 3000)
    same = beside_chance(tune, tune)
    assert (same.corrected, same.oti, same.oti_corrected) == (Score(1.0),) * 3
    higher = beside_chance(tune, ((tune + 5) % 12).astype(np.uint8))
    assert (higher.oti, higher.oti_corrected) == (Score(1.0),) * 2
    assert higher.corrected.value is not None
    assert higher.corrected.value < 0


def test_fewer_shifts_than_a_95_percent_point_takes_are_a_reason() -> None:
    short = beside_chance(notes(0, SHORTEST - 1), notes(1, 5000))
    reason = Score(None, "too_short")
    assert (short.corrected, short.null95, short.oti_corrected, short.oti_null95) == (reason,) * 4
    assert short.oti.value is not None
    assert beside_chance(notes(0, SHORTEST), notes(1, 5000)).null95.value is not None


def test_no_frames_at_all_are_a_reason() -> None:
    nothing = np.empty(0, dtype=np.uint8)
    assert beside_chance(nothing, notes(0, 9)) == melody_chance_correction.BesideChance.undefined(
        "too_short"
    )


def test_one_note_held_by_both_leaves_nothing_beyond_chance() -> None:
    held = np.full(3000, 9, dtype=np.uint8)
    found = beside_chance(held, held)
    assert found.corrected == found.oti_corrected == Score(None, "constant")
    assert found.null95 == found.oti == found.oti_null95 == Score(1.0)


def test_every_number_has_a_metric_of_its_own() -> None:
    names = [spec.name for spec in melody_chance_correction.SPECS.values()]
    assert len(set(names)) == len(names) == 5
    assert set(melody_chance_correction.SPECS) == set(
        beside_chance(notes(0, 9), notes(1, 9)).__dict__
    )

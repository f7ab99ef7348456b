"""The agreement between two melodies in all transpositions and at all time shifts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirpipe.music.metrics.optimal_transposition import best_transpositions, equal_frame_counts


def quarter_second_notes(seed: int, frames: int) -> np.ndarray:
    pitch_classes = np.random.default_rng(seed).integers(0, 12, frames // 43 + 1)
    return np.repeat(pitch_classes, 43)[:frames].astype(np.uint8)


def count_directly(target: np.ndarray, reference: np.ndarray, semitones: int, shift: int) -> int:
    moved = (np.roll(reference, shift) + semitones) % 12
    return int(np.count_nonzero(target == moved))


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(*[arrays(np.uint8, n, elements=st.integers(0, 11))] * 2)
    )
)
def test_counts_equal_direct_counting(sides: tuple[np.ndarray, np.ndarray]) -> None:
    n = len(sides[0])
    expected = [[count_directly(*sides, k, shift) for shift in range(n)] for k in range(12)]
    np.testing.assert_array_equal(equal_frame_counts(*sides), expected)


def test_counts_of_twenty_minutes_are_exact() -> None:
    frames = 206_719  # A prime number is the hardest length for an FFT.
    target, reference = quarter_second_notes(0, frames), quarter_second_notes(1, frames)
    counts = equal_frame_counts(target, reference)
    for semitones, shift in ((0, 0), (3, 345), (11, 100_001), (7, 206_718)):
        assert counts[semitones, shift] == count_directly(target, reference, semitones, shift)


@given(st.integers(0, 1000), st.integers(0, 11))
def test_best_transposition_of_a_transposed_chroma_is_found(seed: int, semitones: int) -> None:
    chroma = np.random.default_rng(seed).random((20, 12))
    higher = np.roll(chroma, semitones, axis=1)
    assert best_transpositions(chroma, higher, count=1) == [semitones]


def test_equally_good_transpositions_are_sorted() -> None:
    assert best_transpositions(np.ones((3, 12)), np.ones((3, 12)), count=2) == [0, 1]

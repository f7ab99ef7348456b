"""Estimated keys of cadences and scales, scored by mir_eval."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.music.features.key import KEYS, estimate_key
from mirpipe.records import Note

CADENCE = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7, 12)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7, 12)),
}


def cadence(tonic: int, mode: str) -> list[Note]:
    return [
        Note(float(bar), bar + 1.0, 60 + tonic + step, 0.8)
        for bar, chord in enumerate(CADENCE[mode])
        for step in chord
    ]


@pytest.mark.parametrize("index", range(24))
def test_cadence_has_its_key(index: int) -> None:
    name = KEYS[index]
    found, clarity, reason = estimate_key(cadence(index % 12, name.split()[1]))
    assert (found, reason) == (name, None)
    assert mir_eval.key.weighted_score(name, found) == 1.0
    assert clarity is not None
    assert 0.05 < clarity < 1


@given(st.integers(0, 10_000), st.integers(1, 11))
def test_transposed_notes_have_the_transposed_key_and_the_same_clarity(
    seed: int, semitones: int
) -> None:
    random = np.random.default_rng(seed)
    pitches = random.integers(48, 72, 30)
    key, clarity, _ = estimate_key([Note(0, 1, int(pitch), 0.5) for pitch in pitches])
    higher, higher_clarity, _ = estimate_key(
        [Note(0, 1, int(pitch) + semitones, 0.5) for pitch in pitches]
    )
    assert key is not None
    assert higher is not None
    assert higher_clarity == pytest.approx(clarity, abs=1e-9)
    if clarity is not None and clarity > 1e-6:  # If the clarity is 0, two keys fit equally well.
        position = (KEYS.index(key) % 12 + semitones) % 12 + 12 * (KEYS.index(key) // 12)
        assert mir_eval.key.weighted_score(KEYS[position], higher) == 1.0


def test_octaves_do_not_matter() -> None:
    low = [Note(n.onset_seconds, n.offset_seconds, n.pitch - 24, 0.8) for n in cadence(2, "minor")]
    assert estimate_key(low) == estimate_key(cadence(2, "minor"))


def test_all_twelve_pitch_classes_give_no_clear_key() -> None:
    _, clarity, _ = estimate_key([Note(0, 1, pitch, 0.5) for pitch in range(60, 72)])
    assert clarity == pytest.approx(0, abs=1e-6)


def test_few_notes_have_no_key() -> None:
    assert estimate_key(cadence(0, "major")[:7]) == (None, None, "too_few_notes")

"""Keys of scales and cadences."""

import pytest

from mirpipe.music.features.key import KEYS, key
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
def test_a_cadence_is_in_its_key(index: int) -> None:
    name = KEYS[index]
    found, clarity, reason = key(cadence(index % 12, name.split()[1]))
    assert (found, reason) == (name, None)
    assert clarity is not None
    assert 0.05 < clarity < 1


def test_octaves_do_not_matter() -> None:
    low = [Note(n.onset_seconds, n.offset_seconds, n.pitch - 24, 0.8) for n in cadence(2, "minor")]
    assert key(low) == key(cadence(2, "minor"))


def test_all_twelve_pitch_classes_alike_are_not_clear() -> None:
    _, clarity, _ = key([Note(0, 1, pitch, 0.5) for pitch in range(60, 72)])
    assert clarity == pytest.approx(0, abs=1e-6)


def test_a_few_notes_have_no_key() -> None:
    assert key(cadence(0, "major")[:7]) == (None, None, "too_few_notes")

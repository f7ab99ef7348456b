"""Names of keys on the pages."""

import pytest

from dashboard.components.musical_key import with_accidentals
from mirpipe.music.features.key import PITCH_CLASSES


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Eb major", "E♭ major"),
        ("F# minor", "F♯ minor"),
        ("B minor", "B minor"),
        ("key: says Bb major, measured A minor", "key: says B♭ major, measured A minor"),
        ("Ab initio, in C#", "Ab initio, in C#"),
    ],
)
def test_only_names_of_keys_get_signs(stored: str, shown: str) -> None:
    assert with_accidentals(stored) == shown


def test_no_key_is_written_in_ascii() -> None:
    for pitch_class in PITCH_CLASSES:
        for mode in ("major", "minor"):
            shown = with_accidentals(f"{pitch_class} {mode}")
            assert shown.isascii() == (len(pitch_class) == 1)

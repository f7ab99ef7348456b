"""Reading tempo and key from a text."""

import pytest

from mirpipe.stated import stated_bpm, stated_key, tonic


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("A slow piece at 84 BPM.", 84),
        ("Slow. 84.5 bpm, in fours, not 90 BPM", 84.5),
        ("about 120 beats per minute", 120),
        ("120BPM", 120),
        ("4 BPM", None),
        ("recorded in 1984, 3 drums", None),
        ("", None),
    ],
)
def test_the_first_stated_tempo_is_found(text: str, bpm: float | None) -> None:
    assert stated_bpm(text) == bpm


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("A song in A minor.", "A minor"),
        ("B♭ major; later G minor", "Bb major"),
        ("in the key of F# Minor", "F# minor"),
        ("C-sharp minor", "C# minor"),
        ("E flat major", "Eb major"),
        ("a major work with a minor flaw", None),
        ("", None),
    ],
)
def test_the_first_stated_key_is_found(text: str, key: str | None) -> None:
    assert stated_key(text) == key


@pytest.mark.parametrize(
    ("key", "pitch_class"), [("C major", 0), ("Cb major", 11), ("B# minor", 0), ("F# minor", 6)]
)
def test_a_key_has_a_tonic(key: str, pitch_class: int) -> None:
    assert tonic(key) == pitch_class


@pytest.mark.parametrize("key", ["", "H minor", "C", "C lydian", "c major"])
def test_what_is_no_key_has_no_tonic(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        tonic(key)

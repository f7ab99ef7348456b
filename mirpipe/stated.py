"""What a text says of the music that it describes: tempo and key, in the words of a musician."""

import re

_TEMPO = re.compile(r"(?<![\d.])(\d{2,3}(?:\.\d+)?)\s*(?:bpm|beats per minute)\b", re.IGNORECASE)
_KEY = re.compile(r"\b([A-G])[ -]?(#|♯|sharp|b|♭|flat)?[ -]?((?i:major|minor))\b")
_ACCIDENTAL = {"#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b"}
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "#": 1, "b": -1}


def stated_bpm(text: str) -> float | None:
    """The first tempo that is stated, such as `84 BPM`; None where there is none."""
    found = _TEMPO.search(text)
    return float(found[1]) if found else None


def stated_key(text: str) -> str | None:
    """The first key that is stated, spelt as in `Bb minor`; None where there is none.

    The letter has to be a capital: `a major work` states none.
    """
    found = _KEY.search(text)
    if not found:
        return None
    letter, accidental, mode = found.groups()
    return f"{letter}{_ACCIDENTAL.get(accidental, '')} {mode.lower()}"


def tonic(key: str) -> int:
    """The pitch class, 0 (C) … 11 (B), of a key's tonic; ValueError for what is no key."""
    note, _, mode = key.partition(" ")
    if (
        mode not in ("major", "minor")
        or not set(note[1:]) <= {"#", "b"}
        or note[:1] not in "ABCDEFG"
    ):
        raise ValueError(f"not a key such as `Bb minor`: {key!r}")
    return sum(_SEMITONES[sign] for sign in note) % 12

"""Key of a track: the major or minor key whose profile fits the notes best.

The durations of the twelve pitch classes, weighted by velocity, come from the transcribed notes. A
chroma of the spectrum would also contain overtones. They are correlated with the profiles of
Krumhansl and Kessler (1982) of all 24 keys.

Of the demo library's pieces with a known key (two by Bach, one by Joplin, five fiddle tunes and a
bluegrass band), it finds all. With a chroma of the spectrum, and with the profiles of Temperley, it
finds one or two fewer. Other modes and pentatonic tunes get the closest of the 24 keys, with a low
clarity.
"""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import Float64, Note

PITCH_CLASSES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{name} {mode}" for mode in ("major", "minor") for name in PITCH_CLASSES)
MIN_NOTES = 8
"""Smallest number of notes for which the key is defined."""

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def estimate_key(notes: Sequence[Note]) -> tuple[str | None, float | None, str | None]:
    """Return the name of the key, its clarity, and no reason. Or no key, and the reason.

    The clarity is the correlation of the best key minus that of the second best, 0 … 1. The reason
    is `too_few_notes` if there are fewer than 8 notes.
    """
    if len(notes) < MIN_NOTES:
        return None, None, "too_few_notes"
    durations = np.zeros(len(PITCH_CLASSES))
    for note in notes:
        durations[note.pitch % 12] += (note.offset_seconds - note.onset_seconds) * note.velocity
    profiles = [np.roll(mode, tonic) for mode in (_MAJOR, _MINOR) for tonic in range(12)]
    fits = _correlations(np.array(profiles), durations)
    second, best = np.argsort(fits)[-2:]
    return KEYS[best], float(np.clip(fits[best] - fits[second], 0, 1)), None


def _correlations(rows: Float64, row: Float64) -> Float64:
    """Return Pearson's correlation of each of `rows` with `row`. It is 0 if `row` is constant."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    row = row - row.mean()
    norm = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
    return np.asarray(rows @ row / np.maximum(norm, 1e-12))

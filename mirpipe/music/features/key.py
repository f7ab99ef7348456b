"""Estimates a track's key: the major or minor key whose profile fits the notes best.

The total durations of the twelve pitch classes, weighted by velocity, are correlated with the
profiles of Krumhansl and Kessler (1982) for all 24 keys. The durations are computed from the
transcribed notes, because a chroma of the spectrum would also contain overtones.

The demo library has nine pieces with a known key (two by Bach, one by Joplin, five fiddle tunes and
a bluegrass band), and the estimate is correct for all of them. With a chroma of the spectrum, or
with Temperley's profiles, it is wrong for one or two of them. For pentatonic tunes and for tunes in
other modes, the result is the closest of the 24 keys, with a low clarity.
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
    """Return the key's name, its clarity and None; or None, None and the reason for having no key.

    The clarity is the best key's correlation minus the second-best key's correlation, 0 … 1. The
    reason is `too_few_notes` if there are fewer than 8 notes.
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
    """Return the Pearson correlation of each of `rows` with `row`, or 0 if `row` is constant."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    row = row - row.mean()
    norm = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
    return np.asarray(rows @ row / np.maximum(norm, 1e-12))

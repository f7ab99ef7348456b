"""Key: the major or minor scale whose profile fits the pitch classes that sound.

How long each pitch class sounds, weighted by velocity, comes from the transcription, which knows
overtones from notes as a chroma of the spectrum does not; it is correlated with the profiles of
Krumhansl and Kessler (1982) in all 24 keys. Of the demo library's pieces whose key is known
(Bach twice, Joplin, five fiddle tunes and a bluegrass band) it finds all; on a spectral chroma, and
with the profiles of Temperley, one or two fewer. Modes and pentatonic tunes get the nearest of the
24, with a small clarity.
"""

from collections.abc import Sequence

import numpy as np

from mirpipe.records import Note

PITCH_CLASSES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{name} {mode}" for mode in ("major", "minor") for name in PITCH_CLASSES)
FEWEST_NOTES = 8

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def key(notes: Sequence[Note]) -> tuple[str | None, float | None, str | None]:
    """The key's name, its clarity, and None; or None twice and the reason, `too_few_notes`.

    Clarity is the correlation of the best key less that of the next one: 0 … 1.
    """
    if len(notes) < FEWEST_NOTES:
        return None, None, "too_few_notes"
    sounding = np.zeros(len(PITCH_CLASSES))
    for note in notes:
        sounding[note.pitch % 12] += (note.offset_seconds - note.onset_seconds) * note.velocity
    profiles = [np.roll(mode, tonic) for mode in (_MAJOR, _MINOR) for tonic in range(12)]
    fits = _correlation(np.array(profiles), sounding)
    second, best = np.argsort(fits)[-2:]
    return KEYS[best], float(np.clip(fits[best] - fits[second], 0, 1)), None


def _correlation(rows: np.ndarray, row: np.ndarray) -> np.ndarray:
    rows = rows - rows.mean(axis=1, keepdims=True)
    row = row - row.mean()
    norm = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
    return np.asarray(rows @ row / np.maximum(norm, 1e-12))

"""Converts features to and from stored rows of plain values, with the notes packed into bytes.

Each note takes ten bytes, little-endian: onset and offset in seconds as float32, the MIDI number as
uint8, and the velocity in 127ths as uint8. A stored row is read back as exactly the features that
`measure` returned.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mirpipe.music.features.note_transcription import VELOCITIES
from mirpipe.records import Features, Note, TempoCandidate

NOTE_LAYOUT = np.dtype(
    [("onset", "<f4"), ("offset", "<f4"), ("pitch", "u1"), ("velocity", "u1")], align=False
)
_PLAIN_FIELDS = (
    *("tempo_bpm", "meter", "key", "key_clarity", "voiced_fraction"),
    *("onsets_per_second", "brightness_hz"),
)
"""Fields that are stored without conversion."""


def to_row(features: Features) -> dict[str, Any]:
    """Return the values to store, by column name.

    The beats and the tempo candidates are lists, the notes are bytes, and the reasons are a dict.
    Other values are numbers, strings or None.
    """
    return {name: getattr(features, name) for name in _PLAIN_FIELDS} | {
        "beat_seconds": list(features.beat_seconds),
        "notes": pack_notes(features.notes),
        "reasons": dict(features.reasons),
        "tempo_candidates": [candidate.bpm for candidate in features.tempo_candidates],
        "tempo_strengths": [candidate.strength for candidate in features.tempo_candidates],
        "octave_ambiguous": (
            None if features.tempo_bpm is None else len(features.plausible_tempos) > 1
        ),
    }


def from_row(row: Mapping[str, Any]) -> Features:
    """Return the features in a row that `to_row` created. Additional columns are ignored."""
    return Features(
        **{name: row[name] for name in _PLAIN_FIELDS},
        beat_seconds=tuple(row["beat_seconds"]),
        notes=unpack_notes(bytes(row["notes"])),
        reasons=dict(row["reasons"]),
        tempo_candidates=tuple(
            map(TempoCandidate, row["tempo_candidates"], row["tempo_strengths"])
        ),
    )


def pack_notes(notes: Sequence[Note]) -> bytes:
    """Return the notes packed into ten bytes each."""
    rows = [
        (note.onset_seconds, note.offset_seconds, note.pitch, round(note.velocity * VELOCITIES))
        for note in notes
    ]
    return np.array(rows, dtype=NOTE_LAYOUT).tobytes()


def unpack_notes(packed: bytes) -> tuple[Note, ...]:
    """Return the notes that `pack_notes` packed.

    Raises ValueError if the number of bytes is not a multiple of ten.
    """
    return tuple(
        Note(onset, offset, pitch, velocity / VELOCITIES)
        for onset, offset, pitch, velocity in np.frombuffer(packed, dtype=NOTE_LAYOUT).tolist()
    )

"""Features as a row of plain values, and back: the form in which they are stored.

Notes are packed by onset, ten bytes each, little-endian: onset and offset in seconds as float32,
the MIDI number as uint8, the velocity as uint8 in 127ths. What `measure` gives survives exactly.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mirpipe.music.features.note_transcription import VELOCITIES
from mirpipe.records import Features, Note

LAYOUT = np.dtype(
    [("onset", "<f4"), ("offset", "<f4"), ("pitch", "u1"), ("velocity", "u1")], align=False
)
_AS_THEY_ARE = (
    *("tempo_bpm", "meter", "key", "key_clarity", "voiced_fraction"),
    *("onsets_per_second", "brightness_hz"),
)


def to_row(features: Features) -> dict[str, Any]:
    """Column values: numbers, texts, None; beats a list, notes bytes, reasons a dict."""
    return {name: getattr(features, name) for name in _AS_THEY_ARE} | {
        "beat_seconds": list(features.beat_seconds),
        "notes": pack(features.notes),
        "reasons": dict(features.reasons),
    }


def from_row(row: Mapping[str, Any]) -> Features:
    """The features that `to_row` was given; columns besides its own are passed over."""
    return Features(
        **{name: row[name] for name in _AS_THEY_ARE},
        beat_seconds=tuple(row["beat_seconds"]),
        notes=unpack(bytes(row["notes"])),
        reasons=dict(row["reasons"]),
    )


def pack(notes: Sequence[Note]) -> bytes:
    """Ten bytes a note."""
    rows = [
        (note.onset_seconds, note.offset_seconds, note.pitch, round(note.velocity * VELOCITIES))
        for note in notes
    ]
    return np.array(rows, dtype=LAYOUT).tobytes()


def unpack(packed: bytes) -> tuple[Note, ...]:
    """The notes that `pack` was given. Raises ValueError for bytes that are no whole notes."""
    return tuple(
        Note(onset, offset, pitch, velocity / VELOCITIES)
        for onset, offset, pitch, velocity in np.frombuffer(packed, dtype=LAYOUT).tolist()
    )

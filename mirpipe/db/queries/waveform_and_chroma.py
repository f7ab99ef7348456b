"""Data for the pictures of a track: the waveform, and the pitch classes over time (chroma)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.records import Float32

PITCH_CLASSES = 12
CHROMA_COLUMNS = 120
"""Number of columns in the chroma picture, whatever the length of the track."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Waveform and chroma of one track. A part that has not been measured yet is None."""

    waveform: Float32 | None
    """Lowest and highest sample in each column, full scale ±1, shape (400, 2)."""
    chroma: Float32 | None
    """Share of frames whose strongest pitch class is C to B, shape (12, 120), 0 to 1."""
    voiced: bool | None
    """Whether the track is pitched. If not, the chroma is meaningless."""


@dataclass(frozen=True)
class _PackedPicture:
    track_id: int
    peaks: memoryview | None
    frames: int | None
    pitch_classes: memoryview | None
    voiced: bool | None


_PACKED_PICTURES = text("""
    SELECT t.track_id, w.peaks, m.frames, m.pitch_classes, m.voiced
    FROM unnest(CAST(:track_ids AS bigint[])) t (track_id)
    LEFT JOIN mirpipe.waveform w USING (track_id)
    LEFT JOIN mirpipe.shown_metric k ON k.name = 'melody'
    LEFT JOIN mirpipe.melody m ON m.metric_id = k.metric_id AND m.track_id = t.track_id
""")


def pictures(track_ids: Sequence[int]) -> dict[int, Picture]:
    """Return the waveform and the chroma of each of these tracks, by track id."""
    return {
        row.track_id: Picture(
            None if row.peaks is None else _unpack_waveform(bytes(row.peaks)),
            _unpack_chroma(row.frames, row.pitch_classes),
            row.voiced,
        )
        for row in read_rows(_PackedPicture, _PACKED_PICTURES, track_ids=list(track_ids))
    }


def _unpack_waveform(peaks: bytes) -> Float32:
    """Return the lowest and highest sample in each column, full scale ±1, shape (columns, 2).

    `peaks` contains these samples as signed bytes, with 127 as full scale.
    """
    pairs = np.frombuffer(peaks, np.int8).astype(np.float32).reshape(-1, 2)
    return np.divide(pairs, 127, dtype=np.float32)


def _unpack_chroma(frames: int | None, packed: memoryview | None) -> Float32 | None:
    """Return the share of frames for each pitch class and column, shape (12, 120).

    `packed` contains the strongest pitch class of each frame, two frames per byte. Returns None if
    there are no frames.
    """
    if packed is None or not frames:
        return None
    pairs = np.frombuffer(packed, np.uint8)
    strongest = np.stack((pairs >> 4, pairs & 15), axis=1).ravel()[:frames].astype(np.int64)
    column = np.arange(len(strongest)) * CHROMA_COLUMNS // frames
    cells = PITCH_CLASSES * CHROMA_COLUMNS
    counts = np.bincount(strongest * CHROMA_COLUMNS + column, minlength=cells)
    # A code has four bits. Codes 12 to 15 are not pitch classes.
    counts = counts[:cells].reshape(PITCH_CLASSES, CHROMA_COLUMNS)
    shares: Float32 = (counts / np.maximum(counts.sum(axis=0), 1)).astype(np.float32)
    return shares

"""What is drawn beside a player: the outline of a track and its pitch classes over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows
from mirpipe.records import Float32

CLASSES = 12
CELLS = 120
"""Of a track's length, whatever it is."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What is known of a track's course."""

    outline: Float32 | None
    """Lowest and highest sample, full scale ±1, of equal stretches: shape (400, 2)."""
    classes: Float32 | None
    """Share of a stretch's frames that each pitch class, C … B, is strongest in: (12, 120)."""
    voiced: bool | None
    """False: unpitched, so that the classes say nothing."""


@dataclass(frozen=True)
class _Stored:
    track_id: int
    peaks: memoryview | None
    frames: int | None
    pitch_classes: memoryview | None
    voiced: bool | None


_STORED = text("""
    SELECT t.track_id, w.peaks, m.frames, m.pitch_classes, m.voiced
    FROM unnest(CAST(:track_ids AS bigint[])) t (track_id)
    LEFT JOIN mirpipe.waveform w USING (track_id)
    LEFT JOIN mirpipe.metric k ON k.name = 'melody' AND k.wanted
    LEFT JOIN mirpipe.melody m ON m.metric_id = k.metric_id AND m.track_id = t.track_id
""")


def pictures(track_ids: Sequence[int]) -> dict[int, Picture]:
    """Of each of these tracks; parts that are not measured yet are None."""
    return {
        row.track_id: Picture(
            None if row.peaks is None else _outline(bytes(row.peaks)),
            _classes(row.frames, row.pitch_classes),
            row.voiced,
        )
        for row in rows(_Stored, _STORED, track_ids=list(track_ids))
    }


def _outline(peaks: bytes) -> Float32:
    pairs = np.frombuffer(peaks, np.int8).astype(np.float32).reshape(-1, 2)
    return np.divide(pairs, 127, dtype=np.float32)


def _classes(frames: int | None, packed: memoryview | None) -> Float32 | None:
    if packed is None or not frames:
        return None
    pairs = np.frombuffer(packed, np.uint8)
    each = np.stack((pairs >> 4, pairs & 15), axis=1).ravel()[:frames].astype(np.int64)
    cell = np.arange(len(each)) * CELLS // frames
    counts = np.bincount(each * CELLS + cell, minlength=CLASSES * CELLS)
    found = counts[: CLASSES * CELLS].reshape(CLASSES, CELLS)
    shares: Float32 = (found / np.maximum(found.sum(axis=0), 1)).astype(np.float32)
    return shares

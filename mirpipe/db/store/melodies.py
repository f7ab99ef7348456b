"""Stores and reads track melodies, and finds tracks without a melody.

An existing row was computed from the same bytes by the same revision, so it is identical and kept.
Rows are inserted in key order, so that two writers cannot deadlock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

_PENDING = text(
    "SELECT track_id FROM mirpipe.pending_melody WHERE metric_id = :metric_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_READ = text(
    "SELECT track_id, frames, pitch_classes, voiced_fraction, voiced, reason FROM mirpipe.melody "
    "WHERE metric_id = :metric_id AND track_id = ANY(:track_ids)"
)
_WRITE = text(
    "INSERT INTO mirpipe.melody "
    "(metric_id, track_id, frames, pitch_classes, voiced_fraction, voiced, reason) "
    "SELECT :metric_id, new.* FROM unnest(CAST(:track_ids AS bigint[]), "
    "CAST(:frames AS integer[]), CAST(:pitch_classes AS bytea[]), "
    "CAST(:voiced_fractions AS double precision[]), CAST(:voiced AS boolean[]), "
    "CAST(:reasons AS text[])) AS new (track_id) ORDER BY new.track_id ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class StoredMelody:
    """A row of the table `melody`: a melody, or the reason why it is missing."""

    frames: int | None
    """Number of frames."""
    pitch_classes: bytes | None
    """Packed pitch classes, one per frame."""
    voiced_fraction: float | None
    """Share of voiced frames, 0 … 1."""
    voiced: bool | None
    """Whether the track counts as pitched."""
    reason: str | None
    """Code of the reason why the melody is missing. All other fields are then None."""


def pending(
    connection: Connection, metric_id: int, track_ids: Sequence[int] | None = None
) -> list[int]:
    """Return the ids of usable tracks that have no melody from this revision, in ascending order.

    If `track_ids` is given, only these tracks are considered.
    """
    parameters = {
        "metric_id": metric_id,
        "track_ids": None if track_ids is None else list(track_ids),
    }
    return list(connection.execute(_PENDING, parameters).scalars())


def write(connection: Connection, metric_id: int, new: Mapping[int, StoredMelody]) -> None:
    """Store melodies by track id."""
    if not new:
        return
    rows = list(new.values())
    connection.execute(
        _WRITE,
        {
            "metric_id": metric_id,
            "track_ids": list(new),
            "frames": [row.frames for row in rows],
            "pitch_classes": [row.pitch_classes for row in rows],
            "voiced_fractions": [row.voiced_fraction for row in rows],
            "voiced": [row.voiced for row in rows],
            "reasons": [row.reason for row in rows],
        },
    )


def read(
    connection: Connection, metric_id: int, track_ids: Sequence[int]
) -> dict[int, StoredMelody]:
    """Return the stored melodies of these tracks, by track id."""
    rows = connection.execute(_READ, {"metric_id": metric_id, "track_ids": list(track_ids)})
    return {
        row.track_id: StoredMelody(
            row.frames,
            None if row.pitch_classes is None else bytes(row.pitch_classes),
            row.voiced_fraction,
            row.voiced,
            row.reason,
        )
        for row in rows
    }

"""Melodies of tracks: which are missing, writing a batch of them, and reading them back.

What is there already was made from the same bytes by the same revision and is equal, so writing
it again does nothing. Rows are inserted in order of their keys: two writers cannot deadlock.
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
    """A row of `melody`: packed pitch classes and their number, or the reason for none."""

    frames: int | None
    pitch_classes: bytes | None
    voiced_fraction: float | None
    voiced: bool | None
    reason: str | None


def pending(
    connection: Connection, metric_id: int, track_ids: Sequence[int] | None = None
) -> list[int]:
    """Ids of tracks without a melody of this revision, of `track_ids` where given, ascending."""
    asked = {"metric_id": metric_id, "track_ids": None if track_ids is None else list(track_ids)}
    return list(connection.execute(_PENDING, asked).scalars())


def write(connection: Connection, metric_id: int, new: Mapping[int, StoredMelody]) -> None:
    """Stores melodies by track id."""
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
    """The melodies of those tracks that have a row, by track id."""
    found = connection.execute(_READ, {"metric_id": metric_id, "track_ids": list(track_ids)})
    return {
        row.track_id: StoredMelody(
            row.frames,
            None if row.pitch_classes is None else bytes(row.pitch_classes),
            row.voiced_fraction,
            row.voiced,
            row.reason,
        )
        for row in found
    }

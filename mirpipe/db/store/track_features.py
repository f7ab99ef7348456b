"""Stores and reads track features, and finds tracks without features."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

_PENDING = text(
    "SELECT track_id FROM mirpipe.pending_feature WHERE metric_id = :metric_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_COLUMNS = (
    *("tempo_bpm", "beat_seconds", "meter", "key", "key_clarity", "voiced_fraction", "notes"),
    *("onsets_per_second", "brightness_hz", "reasons"),
    *("tempo_candidates", "tempo_strengths", "octave_ambiguous"),
)
_VALUES = ", ".join(
    f"CAST(:{name} AS jsonb)" if name == "reasons" else f":{name}" for name in _COLUMNS
)
_WRITE = text(
    f"INSERT INTO mirpipe.track_feature (metric_id, track_id, {', '.join(_COLUMNS)}) "
    f"VALUES (:metric_id, :track_id, {_VALUES}) ON CONFLICT DO NOTHING"
)
_READ = text(
    f"SELECT track_id, {', '.join(_COLUMNS)} FROM mirpipe.track_feature "
    "WHERE metric_id = :metric_id AND track_id = ANY(:track_ids)"
)
_NOTES = text(
    "SELECT track_id, notes FROM mirpipe.track_feature "
    "WHERE metric_id = :metric_id AND track_id = ANY(:track_ids)"
)

Row = Mapping[str, Any]
"""The features of a track, by column name."""


def pending(
    connection: Connection, metric_id: int, track_ids: Sequence[int] | None = None
) -> list[int]:
    """Return the ids of usable tracks that have no features from this revision, in ascending order.

    If `track_ids` is given, only these tracks are considered.
    """
    parameters = {
        "metric_id": metric_id,
        "track_ids": None if track_ids is None else list(track_ids),
    }
    return list(connection.execute(_PENDING, parameters).scalars())


def write(connection: Connection, metric_id: int, rows: Mapping[int, Row]) -> None:
    """Store features by track id. Existing features are kept."""
    for track_id, row in sorted(rows.items()):
        values = {**row, "reasons": json.dumps(dict(row["reasons"]))}
        connection.execute(_WRITE, {"metric_id": metric_id, "track_id": track_id, **values})


def read(connection: Connection, metric_id: int, track_ids: Sequence[int]) -> dict[int, Row]:
    """Return the stored features of these tracks, by track id."""
    rows = connection.execute(_READ, {"metric_id": metric_id, "track_ids": list(track_ids)})
    return {
        row["track_id"]: row | {"notes": bytes(row["notes"])} for row in map(dict, rows.mappings())
    }


def read_notes(
    connection: Connection, metric_id: int, track_ids: Sequence[int]
) -> dict[int, bytes]:
    """Return only the packed transcriptions of these tracks, by track id."""
    rows = connection.execute(_NOTES, {"metric_id": metric_id, "track_ids": list(track_ids)})
    return {row.track_id: bytes(row.notes) for row in rows}

"""What was measured of tracks: captions, generations and comparisons rest on it."""

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
"""A track's features by column."""


def pending(
    connection: Connection, metric_id: int, track_ids: Sequence[int] | None = None
) -> list[int]:
    """Ids of tracks without features of this revision, of `track_ids` where given, ascending."""
    asked = {"metric_id": metric_id, "track_ids": None if track_ids is None else list(track_ids)}
    return list(connection.execute(_PENDING, asked).scalars())


def write(connection: Connection, metric_id: int, rows: Mapping[int, Row]) -> None:
    """Stores features by track id."""
    for track_id, row in sorted(rows.items()):
        stored = {**row, "reasons": json.dumps(dict(row["reasons"]))}
        connection.execute(_WRITE, {"metric_id": metric_id, "track_id": track_id, **stored})


def read(connection: Connection, metric_id: int, track_ids: Sequence[int]) -> dict[int, Row]:
    """The features of those tracks that have some, by track id."""
    found = connection.execute(_READ, {"metric_id": metric_id, "track_ids": list(track_ids)})
    return {
        row["track_id"]: row | {"notes": bytes(row["notes"])} for row in map(dict, found.mappings())
    }


def notes(connection: Connection, metric_id: int, track_ids: Sequence[int]) -> dict[int, bytes]:
    """The packed transcriptions alone, by track id."""
    found = connection.execute(_NOTES, {"metric_id": metric_id, "track_ids": list(track_ids)})
    return {row.track_id: bytes(row.notes) for row in found}

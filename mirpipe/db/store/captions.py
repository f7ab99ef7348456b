"""Captions of tracks: which are missing, and writing them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

_PENDING = text(
    "SELECT track_id FROM mirpipe.pending_caption "
    "WHERE captioner_id = :captioner_id AND features_id = :features_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_WRITE = text(
    "INSERT INTO mirpipe.caption (captioner_id, features_id, track_id, caption, "
    "window_start_seconds, window_seconds, contradictions, device, versions, took_seconds) "
    "VALUES (:captioner_id, :features_id, :track_id, :caption, :window_start_seconds, "
    ":window_seconds, :contradictions, :device, CAST(:versions AS jsonb), :took_seconds) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class NewCaption:
    """What a captioner said of one track."""

    track_id: int
    caption: str
    window_start_seconds: float
    window_seconds: float
    contradictions: list[str]
    took_seconds: float


def pending(
    connection: Connection,
    captioner_id: int,
    features_id: int,
    track_ids: Sequence[int] | None = None,
) -> list[int]:
    """Ids of measured targets without a caption, of `track_ids` where given, ascending."""
    return list(
        connection.execute(
            _PENDING,
            {
                "captioner_id": captioner_id,
                "features_id": features_id,
                "track_ids": None if track_ids is None else list(track_ids),
            },
        ).scalars()
    )


def write(
    connection: Connection,
    captioner_id: int,
    features_id: int,
    new: Sequence[NewCaption],
    *,
    device: str,
    versions: Mapping[str, str],
) -> None:
    """Stores captions; one that is there already stays."""
    for caption in sorted(new, key=lambda one: one.track_id):
        row = asdict(caption) | {
            "captioner_id": captioner_id,
            "features_id": features_id,
            "device": device,
            "versions": json.dumps(dict(versions)),
        }
        connection.execute(_WRITE, row)

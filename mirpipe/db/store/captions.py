"""Stores captions, and finds targets without a caption."""

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
    "INSERT INTO mirpipe.caption (captioner_id, features_id, track_id, excerpt_id, caption, "
    "window_start_seconds, window_seconds, contradictions, device, versions, took_seconds, "
    "peak_memory_bytes) "
    "VALUES (:captioner_id, :features_id, :track_id, :excerpt_id, :caption, :window_start_seconds, "
    ":window_seconds, :contradictions, :device, CAST(:versions AS jsonb), :took_seconds, "
    ":peak_memory_bytes) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class NewCaption:
    """A caption that is not stored yet."""

    track_id: int
    excerpt_id: int
    """Excerpt whose middle the captioner received."""
    caption: str
    window_start_seconds: float
    """Start of the window that the captioner received, in seconds."""
    window_seconds: float
    """Duration of the window that the captioner received, in seconds."""
    contradictions: list[str]
    """Names of the features that the caption contradicts."""
    took_seconds: float
    """Time that the captioner took, in seconds."""


def pending(
    connection: Connection,
    captioner_id: int,
    features_id: int,
    track_ids: Sequence[int] | None = None,
) -> list[int]:
    """Return the ids of targets that have features but no caption of their excerpt, ascending.

    If `track_ids` is given, only these tracks are considered.
    """
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
    peak_memory_bytes: int | None = None,
) -> None:
    """Store captions. Existing captions are kept.

    `versions` contains the versions of the libraries that the captioner used, and
    `peak_memory_bytes` is the largest memory so far, or None if it was not measured.
    """
    for caption in sorted(new, key=lambda caption: caption.track_id):
        row = asdict(caption) | {
            "captioner_id": captioner_id,
            "features_id": features_id,
            "device": device,
            "versions": json.dumps(dict(versions)),
            "peak_memory_bytes": peak_memory_bytes,
        }
        connection.execute(_WRITE, row)

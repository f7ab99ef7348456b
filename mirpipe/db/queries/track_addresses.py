"""What identifies a track in a link: its collection and its content hash."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class TrackAddress:
    """The collection and the content hash of a track. Both stay the same if its labels change."""

    track_id: int
    collection: str
    content_sha256: str
    """SHA-256 of the content, in hexadecimal."""


_ADDRESSES = text("""
    SELECT track_id, collection, encode(content_sha256, 'hex') AS content_sha256
    FROM mirpipe.track WHERE track_id = ANY(:track_ids)
""")


def track_addresses(track_ids: Iterable[int | None]) -> dict[int, TrackAddress]:
    """Return the addresses of these tracks, by track id. None and unknown ids are left out."""
    known = sorted({track_id for track_id in track_ids if track_id is not None})
    return {row.track_id: row for row in read_rows(TrackAddress, _ADDRESSES, track_ids=known)}

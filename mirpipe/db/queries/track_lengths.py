"""Lengths of tracks."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class _Length:
    track_id: int
    seconds: float


_LENGTHS = text("""
    SELECT track_id, seconds FROM mirpipe.track
    WHERE track_id = ANY(:track_ids) AND seconds IS NOT NULL
""")


def track_lengths(track_ids: Sequence[int]) -> dict[int, float]:
    """Return the lengths of these tracks in seconds, by track id. Unknown lengths are left out."""
    rows = read_rows(_Length, _LENGTHS, track_ids=list(track_ids))
    return {row.track_id: row.seconds for row in rows}

"""Every path at which a track was ever found."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class TrackFile:
    """A file of a track, which may have been deleted or moved since then."""

    path: str
    """Path as one line of printable characters."""
    bytes: int
    seen_at: datetime
    """Time at which the file was last read, with its time zone."""
    gone_at: datetime | None
    """Time at which the file was first found missing. None if the file exists."""


_FILES = text("""
    SELECT path_text AS path, bytes, seen_at, gone_at FROM mirpipe.track_file
    WHERE track_id = :track_id ORDER BY gone_at IS NOT NULL, gone_at DESC, path LIMIT :limit
""")


def track_files(track_id: int, *, limit: int = 100) -> list[TrackFile]:
    """Return the files of a track: first those that exist, then the others, latest first."""
    return read_rows(TrackFile, _FILES, track_id=track_id, limit=limit)

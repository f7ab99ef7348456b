"""The tracks in pages that stay complete while tracks are added: each page continues at an id."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_list import TrackFilter, conditions, parameters


@dataclass(frozen=True)
class PagedTrack:
    """A track of any state."""

    track_id: int
    collection: str
    title: str
    state: str
    """ok, rejected or gone."""
    reason: str
    """Code of the reason why the track was rejected. Empty if it was not rejected."""
    has_audio: bool
    """Whether a file of the track was ever ingested. If not, only its vectors are known."""
    labels: dict[str, str]
    seconds: float | None
    """Length in seconds. None if it is unknown."""
    content_sha256: str
    """SHA-256 of the content, in hexadecimal."""
    first_seen: datetime
    """Time at which the track was ingested, with its time zone."""


_PAGE = """
    SELECT t.track_id, t.collection, t.title, t.state, coalesce(t.reason, '') AS reason,
        t.has_audio, t.labels, t.seconds, encode(t.content_sha256, 'hex') AS content_sha256,
        t.first_seen
    FROM mirpipe.track t WHERE t.track_id > :after AND {conditions}
    ORDER BY t.track_id LIMIT :limit
"""


def tracks_after(chosen: TrackFilter, *, after: int = 0, limit: int = 50) -> list[PagedTrack]:
    """Return the first tracks of the filter whose ids are above `after`, sorted by id."""
    query = text(_PAGE.format(conditions=conditions(chosen)))
    return read_rows(PagedTrack, query, after=after, limit=limit, **parameters(chosen))

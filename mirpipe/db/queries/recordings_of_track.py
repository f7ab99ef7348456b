"""The tracks that contain the same recording as a track."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class SameRecording:
    """Another track with the same recording, and the evidence for it."""

    track_id: int
    title: str
    collection: str
    relation: str
    """same_file or same_recording."""
    agreement: float
    """Share of equal bits in the common passage of the two fingerprints, 0 to 1."""
    overlap_seconds: float
    """Length of the common passage."""
    offset_seconds: float
    """Start of the common passage in the other track minus its start in the track."""


_RECORDINGS = text("""
    SELECT s.other_id AS track_id, o.title, o.collection, s.relation, s.agreement,
        s.overlap_seconds, s.offset_seconds
    FROM mirpipe.v_same_recording s JOIN mirpipe.track o ON o.track_id = s.other_id
    WHERE s.track_id = :track_id
    ORDER BY s.relation, s.agreement DESC, o.title, s.other_id LIMIT :limit
""")


def recordings_of_track(track_id: int, *, limit: int = 50) -> list[SameRecording]:
    """Return the usable tracks with the same recording, equal audio first."""
    rows = read_rows(SameRecording, _RECORDINGS, track_id=track_id, limit=limit)
    return with_distinct_titles(rows, title="track_id")

"""Finds usable tracks by id, title, part of a title, or content."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.errors import ConfigurationError

MAX_LISTED_TARGETS = 20
"""Maximum number of targets that an error message lists."""


@dataclass(frozen=True)
class FoundTrack:
    """A usable track."""

    track_id: int
    collection: str
    title: str
    content_sha256: bytes
    """SHA-256 of the content, 32 bytes."""


# Only results of the best kind are returned. 1: equal id. 2: equal title. 3: equal title except for
# upper and lower case. 4: the title contains the name.
_TRACKS_BY_NAME = text("""
    SELECT track_id, collection, title, content_sha256 FROM (
        SELECT t.*, rank() OVER (ORDER BY CASE
            WHEN CAST(track_id AS text) = :name THEN 1
            WHEN normalize(title) = normalize(:name) THEN 2
            WHEN normalize(lower(title)) = normalize(lower(:name)) THEN 3
            ELSE 4 END) AS kind
        FROM mirpipe.track t
        WHERE state = 'ok' AND (CAST(track_id AS text) = :name
            OR position(normalize(lower(:name)) IN normalize(lower(title))) > 0)
    ) found
    WHERE kind = 1
    ORDER BY array_position(ARRAY['target', 'reference', 'generated'], collection), title, track_id
""")
_TRACKS_BY_CONTENT = text("""
    SELECT track_id, collection, title, content_sha256 FROM mirpipe.track
    WHERE state = 'ok' AND content_sha256 = :content_sha256 ORDER BY collection, track_id
""")


def tracks_by_name(name: str) -> list[FoundTrack]:
    """Return the usable tracks with this id.

    If no track has this id, return the tracks with this title. If no track has this title, return
    the tracks whose title contains the name. A title that is equal including upper and lower case
    takes precedence.
    """
    return read_rows(FoundTrack, _TRACKS_BY_NAME, name=name)


def tracks_by_content(content_sha256: bytes) -> list[FoundTrack]:
    """Return the usable tracks with this content."""
    return read_rows(FoundTrack, _TRACKS_BY_CONTENT, content_sha256=content_sha256)


def target_id_by_name(name: str) -> int:
    """Return the id of the usable target with this id, this title, or this text in its title.

    Raises ConfigurationError if there is no such target, or more than one.
    """
    found = [track for track in tracks_by_name(name) if track.collection == "target"]
    exact = [track for track in found if name in (track.title, str(track.track_id))]
    candidates = exact or found
    if not candidates:
        raise ConfigurationError(
            f"There is no usable target {name!r}. Give a target's id, its title or a part of the "
            "title."
        )
    if len(candidates) > 1:
        named = with_distinct_titles(candidates, title="track_id")
        listed = [f"  {track.track_id}  {track.title}" for track in named]
        if len(listed) > MAX_LISTED_TARGETS:
            more = len(listed) - MAX_LISTED_TARGETS
            listed[MAX_LISTED_TARGETS:] = [f"  and {more} more"]
        message = f"{name!r} matches {len(candidates)} targets. Give the id of one:"
        raise ConfigurationError("\n".join([message, *listed]))
    return candidates[0].track_id

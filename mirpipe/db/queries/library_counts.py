"""Number and total length of the tracks in each collection."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.sentence_parts import counted


@dataclass(frozen=True)
class LibraryCount:
    """Number and length of the tracks of one collection that are in one state."""

    collection: str
    state: str
    """State of the tracks: ok, rejected or gone."""
    tracks: int
    """Number of tracks."""
    seconds: float
    """Total length of the tracks, in seconds."""
    without_audio: int = 0
    """Those of the tracks that were added from a file of vectors, without audio."""


_LIBRARY_COUNTS = text("""
    SELECT collection, state, count(*) AS tracks,
        count(*) FILTER (WHERE NOT has_audio) AS without_audio, coalesce(sum(seconds), 0) AS seconds
    FROM mirpipe.track GROUP BY collection, state
    ORDER BY array_position(ARRAY['target', 'reference', 'generated'], collection),
        array_position(ARRAY['ok', 'rejected', 'gone'], state)
""")


def library_counts() -> list[LibraryCount]:
    """Return the number and the total length of the tracks, by collection and state."""
    return read_rows(LibraryCount, _LIBRARY_COUNTS)


def has_targets(counts: Sequence[LibraryCount]) -> bool:
    """Return whether there are usable targets."""
    return any(row.collection == "target" and row.state == "ok" for row in counts)


def missing_audio(counts: Sequence[LibraryCount], collections: Collection[str]) -> str:
    """Return how many usable tracks of these collections have no audio, and the remedy.

    The text is empty if all have.
    """
    without = {
        count.collection: count.without_audio
        for count in counts
        if count.state == "ok" and count.without_audio and count.collection in collections
    }
    if not without:
        return ""
    tracks = " and ".join(counted(n, collection) for collection, n in without.items())
    verb, their = (
        ("has", "its recording")
        if sum(without.values()) == 1
        else (
            "have",
            "their recordings",
        )
    )
    return f"{tracks} {verb} no audio. To add it, run `mirpipe ingest` on {their}."

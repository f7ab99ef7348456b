"""Finds and stores pairs of tracks that contain the same recording.

Candidates have equal codes in the index of `fingerprint`; their complete fingerprints are then
compared. Tracks that are not usable now are compared, too, so nothing has to be done if they
return. The views show only usable tracks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.audio.chromaprint import to_values
from mirpipe.music.recordings.common_passage import CommonPassage, common_passage

SHORT_CODES = 128
"""Number of codes up to which one equal code makes two tracks candidates. Longer tracks need two,
because unrelated tracks have an equal code now and then."""

_COUNT_CHANGES = text("SELECT count(*) FROM mirpipe.fingerprint_change")
# The fingerprint is locked, too. If ingest changes it meanwhile, ingest waits, and then adds it to
# the changes again.
_CHANGES = text("""
    SELECT f.track_id, f.revision, f.frames, f.codes
    FROM mirpipe.fingerprint_change c JOIN mirpipe.fingerprint f USING (track_id)
    WHERE f.frames IS NOT NULL
    ORDER BY track_id LIMIT :most FOR UPDATE OF f
""")
# Each code is looked up in the index by itself. For the condition `codes && :codes`, Postgres
# estimates too many rows and reads the complete table.
_TRACKS_WITH_COMMON_CODES = text("""
    SELECT f.track_id, count(*) AS codes
    FROM unnest(CAST(:codes AS integer[])) AS code
    CROSS JOIN LATERAL (
        SELECT f.track_id FROM mirpipe.fingerprint f WHERE f.codes @> ARRAY[code]) f
    WHERE f.track_id <> :track_id
    GROUP BY f.track_id
""")
_CANDIDATES = text("""
    SELECT f.track_id, f.frames
    FROM unnest(CAST(:track_ids AS bigint[]), CAST(:common AS bigint[])) AS c (track_id, common)
    JOIN mirpipe.fingerprint f USING (track_id)
    WHERE f.revision = :revision
      AND c.common >= CASE WHEN least(cardinality(f.codes), :codes_n) <= :short THEN 1 ELSE 2 END
    ORDER BY f.track_id
""")
_DELETE = text(
    "DELETE FROM mirpipe.same_recording WHERE track_id = :track_id OR other_id = :track_id"
)
_WRITE = text("""
    INSERT INTO mirpipe.same_recording
        (track_id, other_id, agreement, overlap_seconds, offset_seconds)
    VALUES (:track_id, :other_id, :agreement, :overlap_seconds, :offset_seconds)
""")
_DELETE_CHANGE = text("DELETE FROM mirpipe.fingerprint_change WHERE track_id = :track_id")
_DELETE_WITHOUT_FINGERPRINT = text("""
    DELETE FROM mirpipe.same_recording s
    WHERE (SELECT count(f.frames) FROM mirpipe.fingerprint f
        WHERE f.track_id IN (s.track_id, s.other_id)) < 2
""")
_COMPARE_ALL = text("""
    INSERT INTO mirpipe.fingerprint_change (track_id)
    SELECT track_id FROM mirpipe.fingerprint WHERE frames IS NOT NULL
    ORDER BY track_id ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True)
class ComparedFingerprint:
    """The fingerprint of a track that is compared with all others."""

    track_id: int
    revision: str
    frames: bytes
    codes: Sequence[int]


@dataclass(frozen=True)
class FoundPair:
    """A pair of tracks that contain the same recording. The first id is the smaller one."""

    track_id: int
    other_id: int
    agreement: float
    overlap_seconds: float
    offset_seconds: float


def count_changes(connection: Connection) -> int:
    """Return the number of fingerprints that are not compared yet."""
    return int(connection.execute(_COUNT_CHANGES).scalar_one())


def lock_changes(connection: Connection, *, most: int) -> list[ComparedFingerprint]:
    """Return up to `most` fingerprints that are not compared yet, sorted by track id."""
    rows = connection.execute(_CHANGES, {"most": most})
    return [to_compared(row.track_id, row.revision, row.frames, row.codes) for row in rows]


def to_compared(
    track_id: int, revision: str, frames: memoryview, codes: Sequence[int]
) -> ComparedFingerprint:
    """Return the record of a row of the table `fingerprint`."""
    return ComparedFingerprint(track_id, revision, bytes(frames), codes)


def find_pairs(connection: Connection, track: ComparedFingerprint) -> Iterator[FoundPair]:
    """Compare a track with all others, and yield the pairs that contain the same recording."""
    parameters = {"codes": list(track.codes), "track_id": track.track_id}
    common = connection.execute(_TRACKS_WITH_COMMON_CODES, parameters).all()
    if not common:
        return
    candidates = {
        "track_ids": [row.track_id for row in common],
        "common": [row.codes for row in common],
        "codes_n": len(track.codes),
        "revision": track.revision,
        "short": SHORT_CODES,
    }
    values = to_values(track.frames)
    for row in connection.execute(_CANDIDATES, candidates):
        found = common_passage(values, to_values(bytes(row.frames)))
        if found is not None:
            yield to_pair(track.track_id, row.track_id, found)


def to_pair(track_id: int, other_id: int, passage: CommonPassage) -> FoundPair:
    """Return the pair of two tracks for the passage of the first one in the other one."""
    offset = passage.offset_seconds if track_id < other_id else 0.0 - passage.offset_seconds
    return FoundPair(
        min(track_id, other_id),
        max(track_id, other_id),
        passage.agreement,
        passage.overlap_seconds,
        offset,
    )


def replace_pairs(connection: Connection, track_id: int, pairs: Sequence[FoundPair]) -> None:
    """Store these pairs instead of all earlier pairs of the track, which is then compared."""
    connection.execute(_DELETE, {"track_id": track_id})
    if pairs:
        connection.execute(_WRITE, [vars(pair) for pair in pairs])
    connection.execute(_DELETE_CHANGE, {"track_id": track_id})


def compare_all_again(connection: Connection) -> None:
    """Add all fingerprints to the changes, and delete the pairs without fingerprints.

    The other pairs stay until they are replaced, so that no report misses them.
    """
    connection.execute(_DELETE_WITHOUT_FINGERPRINT)
    connection.execute(_COMPARE_ALL)

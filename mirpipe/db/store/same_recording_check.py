"""Compares all fingerprints again, and yields the pairs that differ from the stored pairs.

One sort finds the candidates of all tracks. A search for each track, as
`mirpipe.db.store.same_recordings` does it for changed ones, would take several times as long.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from mirpipe.audio.chromaprint import to_values
from mirpipe.db.store.same_recordings import SHORT_CODES, FoundPair, to_pair
from mirpipe.music.recordings.common_passage import common_passage
from mirpipe.records import UInt32

_PAIRS = 100
"""Number of pairs whose fingerprints are in memory at the same time."""
# The order in the array makes Postgres sort the codes. Joining them with themselves would need ten
# times as much temporary disk space.
_CANDIDATES_AND_STORED = text("""
    WITH code AS NOT MATERIALIZED (
        SELECT track_id, unnest(codes) AS code FROM mirpipe.fingerprint WHERE frames IS NOT NULL),
    shared AS (
        SELECT array_agg(track_id ORDER BY track_id) AS track_ids
        FROM code GROUP BY code HAVING count(*) > 1),
    common AS (
        SELECT a.track_id, b.track_id AS other_id, count(*) AS codes
        FROM shared
        CROSS JOIN unnest(track_ids) a (track_id) CROSS JOIN unnest(track_ids) b (track_id)
        WHERE a.track_id < b.track_id
        GROUP BY a.track_id, b.track_id)
    SELECT track_id, other_id, coalesce(codes, 0) AS codes,
        agreement, overlap_seconds, offset_seconds
    FROM common FULL JOIN mirpipe.same_recording USING (track_id, other_id)
    ORDER BY track_id, other_id
""")
_FINGERPRINTS = text("""
    SELECT track_id, revision, frames, cardinality(codes) AS codes FROM mirpipe.fingerprint f
    WHERE track_id = ANY(:track_ids) AND frames IS NOT NULL
      AND NOT EXISTS (SELECT FROM mirpipe.fingerprint_change c WHERE c.track_id = f.track_id)
""")
_WITHOUT_FINGERPRINT = text("""
    SELECT s.track_id, s.other_id FROM mirpipe.same_recording s
    WHERE (SELECT count(*) FROM mirpipe.fingerprint f
        WHERE f.track_id IN (s.track_id, s.other_id) AND f.frames IS NOT NULL) < 2
    ORDER BY s.track_id, s.other_id
""")


@dataclass(frozen=True)
class _Fingerprint:
    revision: str
    values: UInt32
    codes: int
    """Number of codes in the index."""


def wrong_pairs(connection: Connection) -> Iterator[tuple[int, int]]:
    """Yield the track ids of each pair that is missing, wrong, or stored without a reason.

    Fingerprints that are not compared yet are left out, because their pairs are not complete.
    """
    streamed = _CANDIDATES_AND_STORED.execution_options(stream_results=True, max_row_buffer=_PAIRS)
    for rows in connection.execute(streamed).partitions(_PAIRS):
        compared = _compared_fingerprints(connection, rows)
        for row in rows:
            first, second = compared.get(row.track_id), compared.get(row.other_id)
            if first and second and _stored_pair(row) != _found_pair(row, first, second):
                yield row.track_id, row.other_id
    yield from ((row.track_id, row.other_id) for row in connection.execute(_WITHOUT_FINGERPRINT))


def _compared_fingerprints(
    connection: Connection, rows: Sequence[Row[Any]]
) -> Mapping[int, _Fingerprint]:
    """Return the fingerprints of these pairs by track id, without those that wait."""
    track_ids = {track_id for row in rows for track_id in (row.track_id, row.other_id)}
    return {
        row.track_id: _Fingerprint(row.revision, to_values(bytes(row.frames)), row.codes)
        for row in connection.execute(_FINGERPRINTS, {"track_ids": list(track_ids)})
    }


def _stored_pair(row: Row[Any]) -> FoundPair | None:
    if row.agreement is None:
        return None
    return FoundPair(
        row.track_id, row.other_id, row.agreement, row.overlap_seconds, row.offset_seconds
    )


def _found_pair(row: Row[Any], first: _Fingerprint, second: _Fingerprint) -> FoundPair | None:
    needed = 1 if min(first.codes, second.codes) <= SHORT_CODES else 2
    if first.revision != second.revision or row.codes < needed:
        return None
    found = common_passage(first.values, second.values)
    return to_pair(row.track_id, row.other_id, found) if found else None

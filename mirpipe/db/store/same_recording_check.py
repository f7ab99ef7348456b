"""Compares all fingerprints again, and yields the pairs that differ from the stored pairs.

One join finds the candidates of all tracks. A search for each track, as
`mirpipe.db.store.same_recordings` does it for changed ones, would take about ten times as long.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, text

from mirpipe.audio.chromaprint import to_values
from mirpipe.db.store.same_recordings import SHORT_CODES, FoundPair, to_pair
from mirpipe.music.recordings.common_passage import common_passage

_ROWS = 100
"""Number of pairs whose fingerprints are in memory at the same time."""
# `compared` contains all fingerprints that do not wait for a comparison, `candidate` the pairs of
# them that have enough equal codes.
_CANDIDATES_AND_STORED = text("""
    WITH compared AS NOT MATERIALIZED (
        SELECT track_id, revision, codes, frames FROM mirpipe.fingerprint f
        WHERE frames IS NOT NULL
          AND NOT EXISTS (SELECT FROM mirpipe.fingerprint_change c WHERE c.track_id = f.track_id)),
    code AS NOT MATERIALIZED (SELECT track_id, unnest(codes) AS code FROM compared),
    common AS (
        SELECT a.track_id, b.track_id AS other_id, count(*) AS codes
        FROM code a JOIN code b USING (code)
        WHERE a.track_id < b.track_id
        GROUP BY a.track_id, b.track_id),
    candidate AS (
        SELECT common.track_id, other_id FROM common
        JOIN compared a ON a.track_id = common.track_id
        JOIN compared b ON b.track_id = other_id
        WHERE a.revision = b.revision
          AND common.codes >= CASE WHEN least(cardinality(a.codes), cardinality(b.codes)) <= :short
              THEN 1 ELSE 2 END)
    SELECT a.track_id, b.track_id AS other_id, candidate IS NOT NULL AS is_candidate,
        a.frames, b.frames AS other_frames, agreement, overlap_seconds, offset_seconds
    FROM candidate FULL JOIN mirpipe.same_recording s USING (track_id, other_id)
    JOIN compared a ON a.track_id = coalesce(candidate.track_id, s.track_id)
    JOIN compared b ON b.track_id = coalesce(candidate.other_id, s.other_id)
    ORDER BY track_id, other_id
""")
_WITHOUT_FINGERPRINT = text("""
    SELECT s.track_id, s.other_id FROM mirpipe.same_recording s
    WHERE (SELECT count(*) FROM mirpipe.fingerprint f
        WHERE f.track_id IN (s.track_id, s.other_id) AND f.frames IS NOT NULL) < 2
    ORDER BY s.track_id, s.other_id
""")


def wrong_pairs(connection: Connection) -> Iterator[tuple[int, int]]:
    """Yield the track ids of each pair that is missing, wrong, or stored without a reason.

    Fingerprints that are not compared yet are left out, because their pairs are not complete.
    """
    streamed = _CANDIDATES_AND_STORED.execution_options(stream_results=True, max_row_buffer=_ROWS)
    for row in connection.execute(streamed, {"short": SHORT_CODES}):
        if _stored_pair(row) != _found_pair(row):
            yield row.track_id, row.other_id
    yield from ((row.track_id, row.other_id) for row in connection.execute(_WITHOUT_FINGERPRINT))


def _stored_pair(row: Row[Any]) -> FoundPair | None:
    if row.agreement is None:
        return None
    return FoundPair(
        row.track_id, row.other_id, row.agreement, row.overlap_seconds, row.offset_seconds
    )


def _found_pair(row: Row[Any]) -> FoundPair | None:
    if not row.is_candidate:
        return None
    found = common_passage(to_values(bytes(row.frames)), to_values(bytes(row.other_frames)))
    return to_pair(row.track_id, row.other_id, found) if found else None

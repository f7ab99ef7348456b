"""Compares all fingerprints again, and yields the pairs that differ from the stored pairs."""

from collections.abc import Iterator

from more_itertools import batched
from sqlalchemy import Connection, text

from mirpipe.db.store.same_recordings import FoundPair, find_pairs, to_compared

_BATCH_TRACKS = 64
_COMPARED = text("""
    SELECT track_id FROM mirpipe.fingerprint f
    WHERE frames IS NOT NULL
      AND NOT EXISTS (SELECT FROM mirpipe.fingerprint_change c WHERE c.track_id = f.track_id)
    ORDER BY track_id
""")
_FINGERPRINTS = text("""
    SELECT track_id, revision, frames, codes FROM mirpipe.fingerprint
    WHERE track_id = ANY(:track_ids) ORDER BY track_id
""")
_STORED = text("""
    SELECT track_id, other_id, agreement, overlap_seconds, offset_seconds
    FROM mirpipe.same_recording
    WHERE track_id = ANY(:track_ids) ORDER BY track_id, other_id
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
    compared = connection.execute(_COMPARED).scalars().all()
    complete = set(compared)
    for track_ids in batched(compared, _BATCH_TRACKS):
        parameters = {"track_ids": list(track_ids)}
        stored = {FoundPair(**row) for row in connection.execute(_STORED, parameters).mappings()}
        found = set[FoundPair]()
        for row in connection.execute(_FINGERPRINTS, parameters).all():
            found.update(find_pairs(connection, to_compared(*row)))
        first = set(track_ids)
        wrong = {
            (pair.track_id, pair.other_id)
            for pair in stored ^ {pair for pair in found if pair.track_id in first}
            if pair.other_id in complete
        }
        yield from sorted(wrong)
    yield from ((row.track_id, row.other_id) for row in connection.execute(_WITHOUT_FINGERPRINT))

"""Compares all fingerprints again, and yields the pairs that differ from the stored pairs."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from mirpipe.db.store.same_recordings import FoundPair, find_pairs, to_compared

_BATCH_TRACKS = 64
_IS_COMPARED = """
    frames IS NOT NULL
    AND NOT EXISTS (SELECT FROM mirpipe.fingerprint_change c WHERE c.track_id = f.track_id)
"""
_NEXT_COMPARED = text(f"""
    SELECT track_id FROM mirpipe.fingerprint f
    WHERE track_id > :after AND {_IS_COMPARED} ORDER BY track_id LIMIT {_BATCH_TRACKS}
""")
_COMPARED = text(f"""
    SELECT track_id FROM mirpipe.fingerprint f WHERE track_id = ANY(:track_ids) AND {_IS_COMPARED}
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
    for track_ids in _compared_tracks(connection):
        parameters = {"track_ids": track_ids}
        stored = {FoundPair(**row) for row in connection.execute(_STORED, parameters).mappings()}
        found = set[FoundPair]()
        for row in connection.execute(_FINGERPRINTS, parameters).all():
            found.update(find_pairs(connection, to_compared(*row)))
        first = set(track_ids)
        wrong = stored ^ {pair for pair in found if pair.track_id in first}
        others = {"track_ids": [pair.other_id for pair in wrong]}
        complete = set(connection.execute(_COMPARED, others).scalars()) if wrong else set()
        yield from sorted(
            {(pair.track_id, pair.other_id) for pair in wrong if pair.other_id in complete}
        )
    yield from ((row.track_id, row.other_id) for row in connection.execute(_WITHOUT_FINGERPRINT))


def _compared_tracks(connection: Connection) -> Iterator[list[int]]:
    """Yield batches of the tracks whose fingerprints were compared, in ascending order."""
    after = -1
    while track_ids := list(connection.execute(_NEXT_COMPARED, {"after": after}).scalars()):
        yield track_ids
        after = track_ids[-1]

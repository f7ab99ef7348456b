"""Stores the fingerprints of tracks, and finds tracks without one.

Clips have no fingerprint: they are generated, so they are nobody's recording.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from mirpipe.audio.chromaprint import to_values
from mirpipe.music.recordings.index_codes import index_codes
from mirpipe.records import Collection, Fingerprint

NOT_AVAILABLE = "needs_chromaprint"
"""Reason code of a track for which libchromaprint was not installed."""

_PENDING = text("""
    SELECT t.track_id FROM mirpipe.track t
    WHERE t.collection = :collection AND t.state = 'ok' AND t.has_audio
      AND NOT EXISTS (
        SELECT FROM mirpipe.fingerprint f
        WHERE f.track_id = t.track_id AND f.revision = :revision)
      AND NOT EXISTS (
        SELECT FROM mirpipe.failure f
        WHERE f.stage = 'draw' AND f.track_id = t.track_id AND NOT f.retry)
    ORDER BY t.track_id
""")
_IDS = text(
    "SELECT content_sha256, track_id FROM mirpipe.track "
    "WHERE collection = :collection AND content_sha256 = ANY(:hashes) ORDER BY track_id"
)
# If Chromaprint has failed, an earlier fingerprint is kept.
_WRITE = text("""
    INSERT INTO mirpipe.fingerprint AS old (track_id, revision, frames, codes, reason)
    VALUES (:track_id, :revision, :frames, CAST(:codes AS integer[]), :reason)
    ON CONFLICT (track_id) DO UPDATE SET revision = excluded.revision, frames = excluded.frames,
        codes = excluded.codes, reason = excluded.reason
    WHERE (old.revision, old.frames, old.reason)
        IS DISTINCT FROM (excluded.revision, excluded.frames, excluded.reason)
      AND (excluded.revision <> '' OR old.frames IS NULL)
    RETURNING track_id
""")
_DELETE_PAIRS = text("""
    DELETE FROM mirpipe.same_recording
    WHERE track_id = ANY(:track_ids) OR other_id = ANY(:track_ids)
""")
_COMPARE = text("""
    INSERT INTO mirpipe.fingerprint_change (track_id)
    SELECT track_id FROM mirpipe.fingerprint
    WHERE track_id = ANY(:track_ids) AND frames IS NOT NULL
    ORDER BY track_id ON CONFLICT DO NOTHING
""")
_COMPARE_NOTHING = text("""
    DELETE FROM mirpipe.fingerprint_change c USING mirpipe.fingerprint f
    WHERE c.track_id = ANY(:track_ids) AND f.track_id = c.track_id AND f.frames IS NULL
""")
_WRITE_REASON = text("""
    INSERT INTO mirpipe.fingerprint (track_id, revision, reason)
    SELECT t.track_id, '', :reason FROM mirpipe.track t
    WHERE t.collection = :collection AND t.state = 'ok' AND t.has_audio
      AND NOT EXISTS (SELECT FROM mirpipe.fingerprint f WHERE f.track_id = t.track_id)
    ORDER BY t.track_id
    ON CONFLICT DO NOTHING
""")


def pending(connection: Connection, collection: Collection, revision: str) -> list[int]:
    """Return the sorted ids of the usable tracks without a fingerprint of this revision.

    A track that is too short or silent has a row with the revision, so it is not pending.
    """
    parameters = {"collection": collection, "revision": revision}
    return list(connection.execute(_PENDING, parameters).scalars())


def write(
    connection: Connection, collection: Collection, fingerprints: Mapping[bytes, Fingerprint]
) -> None:
    """Store fingerprints by the track's content hash.

    If a fingerprint has changed, the track's pairs are deleted, and it will be compared again.
    Hashes that have no stored track in the collection are ignored.
    """
    parameters = {"collection": collection, "hashes": list(fingerprints)}
    changed: list[int] = []
    for row in connection.execute(_IDS, parameters).all():
        new = fingerprints[bytes(row.content_sha256)]
        codes = None if new.frames is None else index_codes(to_values(new.frames))
        columns = {"revision": new.revision, "frames": new.frames, "reason": new.reason}
        values = columns | {"track_id": row.track_id, "codes": codes}
        changed += connection.execute(_WRITE, values).scalars()
    if changed:
        for statement in (_DELETE_PAIRS, _COMPARE, _COMPARE_NOTHING):
            connection.execute(statement, {"track_ids": changed})


def write_not_available(connection: Connection, collection: Collection) -> None:
    """Store for each usable track without a row that Chromaprint was not available."""
    connection.execute(_WRITE_REASON, {"collection": collection, "reason": NOT_AVAILABLE})

"""Stores tracks of which only a file of vectors is known, and removes them.

Such a track is usable, but has no file and nothing that is measured from audio. When ingest finds
its audio, it becomes a track like any other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.store import fingerprints
from mirpipe.records import Collection, ContentKind, Fingerprint

# A track that was removed, or has lost its files, returns with the values that are stored.
_ADD = text("""
    INSERT INTO mirpipe.track AS t (collection, content_sha256, content_kind, title, labels,
        labels_from, seconds, rms_dbfs, state, has_audio)
    VALUES (:collection, :content_sha256, :content_kind, :title, CAST(:labels AS jsonb),
        'vectors', :seconds, :rms_dbfs, 'ok', false)
    ON CONFLICT (collection, content_sha256) DO UPDATE
        SET state = 'ok', has_audio = false, changed_at = now() WHERE t.state = 'gone'
    RETURNING t.track_id
""")
_FINGERPRINTED = text("SELECT EXISTS (SELECT FROM mirpipe.fingerprint WHERE track_id = :track_id)")
_REMOVE = text("""
    WITH removed AS (
        SELECT track_id FROM mirpipe.track WHERE state = 'ok' AND NOT has_audio
        ORDER BY track_id FOR UPDATE)
    UPDATE mirpipe.track t SET state = 'gone', changed_at = now() FROM removed r
    WHERE t.track_id = r.track_id
""")


@dataclass(frozen=True)
class TrackWithoutAudio:
    """A track as a file of vectors describes it."""

    collection: Collection
    content_sha256: bytes
    """SHA-256 that identifies the audio, 32 bytes."""
    content_kind: ContentKind
    title: str
    labels: Mapping[str, str]
    seconds: float
    rms_dbfs: float
    fingerprint: Fingerprint | None
    """None if the file contains none."""


def add(connection: Connection, tracks: Sequence[TrackWithoutAudio]) -> int:
    """Store the tracks that are not in the library, and return how many there are.

    Usable and rejected tracks stay as they are.
    """
    added = 0
    for track in sorted(tracks, key=lambda track: (track.collection, track.content_sha256)):
        track_id = connection.execute(
            _ADD,
            {
                "collection": track.collection,
                "content_sha256": track.content_sha256,
                "content_kind": track.content_kind,
                "title": track.title,
                "labels": json.dumps(dict(track.labels)),
                "seconds": track.seconds,
                "rms_dbfs": track.rms_dbfs,
            },
        ).scalar_one_or_none()
        if track_id is None:
            continue
        added += 1
        known = connection.execute(_FINGERPRINTED, {"track_id": track_id}).scalar_one()
        if track.fingerprint is not None and not known:
            prints = {track.content_sha256: track.fingerprint}
            fingerprints.write(connection, track.collection, prints)
    return added


def remove(connection: Connection) -> int:
    """Mark all usable tracks without audio as gone, and return how many there were."""
    return connection.execute(_REMOVE).rowcount

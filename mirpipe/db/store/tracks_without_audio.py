"""Stores tracks of which only a file of vectors is known, and removes them.

Such a track is usable, but has no file and nothing that is measured from audio. When ingest finds
its audio, it becomes a track like any other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, text

from mirpipe.db.store import fingerprints
from mirpipe.records import ContentKind, Fingerprint

DescribedCollection = Literal["reference", "target"]

# A track whose audio was ingested before returns with its own labels and measured values.
_ADD = text("""
    INSERT INTO mirpipe.track AS t (collection, content_sha256, content_kind, title, labels,
        labels_from, seconds, rms_dbfs, state, has_audio)
    SELECT :collection, new.content_sha256, new.content_kind, new.title, CAST(new.labels AS jsonb),
        'vectors', new.seconds, new.rms_dbfs, 'ok', false
    FROM unnest(CAST(:hashes AS bytea[]), CAST(:kinds AS text[]), CAST(:titles AS text[]),
        CAST(:labels AS text[]), CAST(:seconds AS double precision[]),
        CAST(:rms_dbfs AS double precision[]))
        AS new (content_sha256, content_kind, title, labels, seconds, rms_dbfs)
    ORDER BY new.content_sha256
    ON CONFLICT (collection, content_sha256) DO UPDATE SET
        title = CASE t.labels_from WHEN 'vectors' THEN excluded.title ELSE t.title END,
        labels = CASE t.labels_from WHEN 'vectors' THEN excluded.labels ELSE t.labels END,
        seconds = CASE t.labels_from WHEN 'vectors' THEN excluded.seconds ELSE t.seconds END,
        rms_dbfs = CASE t.labels_from WHEN 'vectors' THEN excluded.rms_dbfs ELSE t.rms_dbfs END,
        state = 'ok', has_audio = false, changed_at = now()
        WHERE t.state = 'gone'
    RETURNING content_sha256, labels_from = 'vectors' AS is_described
""")
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

    collection: DescribedCollection
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

    Usable and rejected tracks stay as they are. If a track is given twice, the last one counts.
    """
    added = 0
    for collection in get_args(DescribedCollection):
        new = {each.content_sha256: each for each in tracks if each.collection == collection}
        rows = connection.execute(
            _ADD,
            {
                "collection": collection,
                "hashes": list(new),
                "kinds": [each.content_kind for each in new.values()],
                "titles": [each.title for each in new.values()],
                "labels": [json.dumps(dict(each.labels)) for each in new.values()],
                "seconds": [each.seconds for each in new.values()],
                "rms_dbfs": [each.rms_dbfs for each in new.values()],
            },
        ).all()
        added += len(rows)
        described = [new[bytes(row.content_sha256)] for row in rows if row.is_described]
        prints = {each.content_sha256: each.fingerprint for each in described}
        fingerprints.write(
            connection, collection, {key: each for key, each in prints.items() if each is not None}
        )
    return added


def remove(connection: Connection) -> int:
    """Mark all usable tracks without audio as gone, and return how many there were."""
    return connection.execute(_REMOVE).rowcount

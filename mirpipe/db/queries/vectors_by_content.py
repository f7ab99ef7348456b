"""Reads the vectors of an encoder revision by content hash, and the tracks with each content."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.queries.view_snapshot import rows_per_batch
from mirpipe.records import Float32


@dataclass(frozen=True)
class StoredRevision:
    """The active revision of an encoder or, if it has none, the configured one."""

    encoder_id: int
    name: str
    revision: str
    spec: dict[str, object]


_REVISIONS = text("""
    SELECT DISTINCT ON (e.name) e.encoder_id, e.name, e.revision, e.spec
    FROM mirpipe.encoder e LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    WHERE (e.wanted OR s.encoder_id IS NOT NULL)
      AND EXISTS (SELECT FROM mirpipe.embedding v WHERE v.encoder_id = e.encoder_id)
    ORDER BY e.name, s.encoder_id IS NULL
""")
# Tracks with the same content have the same vector.
_VECTORS = text("""
    SELECT DISTINCT ON (t.content_sha256) t.content_sha256, CAST(v.embedding AS real[]) AS vector
    FROM mirpipe.embedding v JOIN mirpipe.track t USING (track_id)
    WHERE v.encoder_id = :encoder_id AND t.state = 'ok' ORDER BY t.content_sha256, t.track_id
""")
# Clips are left out: another library generates its own.
_TRACKS = text("""
    SELECT t.content_sha256, t.collection, t.title, t.labels, t.content_kind, t.seconds, t.rms_dbfs,
        f.revision AS fingerprint_revision, f.frames AS fingerprint_frames,
        f.reason AS fingerprint_reason
    FROM mirpipe.track t
    LEFT JOIN mirpipe.fingerprint f ON f.track_id = t.track_id AND f.revision <> ''
    WHERE t.state = 'ok' AND t.collection IN ('reference', 'target')
      AND t.content_sha256 = ANY(CAST(:hashes AS bytea[]))
    ORDER BY t.content_sha256, t.collection
""")


def revisions_with_vectors(connection: Connection) -> dict[str, StoredRevision]:
    """Return one revision per encoder that has vectors, by encoder name."""
    return {row.name: StoredRevision(**row._mapping) for row in connection.execute(_REVISIONS)}


def vectors_by_content(
    connection: Connection, encoder_id: int, *, dimension: int
) -> Iterator[tuple[list[bytes], Float32]]:
    """Yield blocks of content hashes and vectors, shape (n, D), in the order of the hash.

    Only the vectors of usable tracks are read. `dimension` is the number D.
    """
    rows_n = rows_per_batch(dimension)
    streamed = _VECTORS.execution_options(stream_results=True, max_row_buffer=rows_n)
    with connection.execute(streamed, {"encoder_id": encoder_id}) as result:
        for rows in result.partitions(rows_n):
            hashes = [bytes(row.content_sha256) for row in rows]
            yield hashes, np.array([row.vector for row in rows], np.float32)


def tracks_by_content(
    connection: Connection, hashes: Sequence[bytes]
) -> dict[bytes, list[dict[str, Any]]]:
    """Return the stored values of the usable references and targets, by content hash."""
    found: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(_TRACKS, {"hashes": list(hashes)}).mappings():
        frames = row["fingerprint_frames"]
        values = dict(row) | {"fingerprint_frames": None if frames is None else bytes(frames)}
        found[bytes(values.pop("content_sha256"))].append(values)
    return found

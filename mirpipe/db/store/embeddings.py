"""Stores track vectors batch by batch, and finds tracks without a vector."""

import json
from collections.abc import Mapping, Sequence

from pgvector import Vector
from sqlalchemy import Connection, TextClause, text

from mirpipe.records import Float32

_PENDING = text(
    "SELECT track_id FROM mirpipe.pending_embedding WHERE encoder_id = :encoder_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_BATCH = text(
    "INSERT INTO mirpipe.embedding_batch (encoder_id, device, versions, tracks, seconds, "
    "peak_memory_bytes) VALUES (:encoder_id, :device, CAST(:versions AS jsonb), :tracks, :seconds, "
    ":peak_memory_bytes) RETURNING batch_id"
)
# An existing vector was computed from the same bytes by the same revision, so the two are equal.
_WRITE = text(
    "INSERT INTO mirpipe.embedding (encoder_id, track_id, collection, batch_id, embedding) "
    "SELECT :encoder_id, t.track_id, t.collection, :batch_id, CAST(new.vector AS vector) "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:vectors AS text[])) AS new (track_id, vector) "
    "JOIN mirpipe.track t ON t.track_id = new.track_id ORDER BY t.track_id "
    "ON CONFLICT DO NOTHING"
)
_SECONDS_PER_TRACK = text("""
    SELECT e.name, sum(b.seconds) / sum(b.tracks) AS seconds
    FROM mirpipe.encoder e CROSS JOIN LATERAL (
        SELECT seconds, tracks FROM mirpipe.embedding_batch b
        WHERE b.encoder_id = e.encoder_id AND b.tracks > 0 AND NOT b.is_imported
        ORDER BY batch_id DESC LIMIT 100) b
    WHERE e.wanted GROUP BY e.name
""")


def pending(
    connection: Connection, encoder_id: int, track_ids: Sequence[int] | None = None
) -> list[int]:
    """Return the ids of usable tracks that have no vector from this revision, in ascending order.

    If `track_ids` is given, only these tracks are considered.
    """
    parameters = {
        "encoder_id": encoder_id,
        "track_ids": None if track_ids is None else list(track_ids),
    }
    return list(connection.execute(_PENDING, parameters).scalars())


def write(
    connection: Connection,
    encoder_id: int,
    vectors: Mapping[int, Float32],
    *,
    device: str,
    versions: Mapping[str, str],
    seconds: float,
    peak_memory_bytes: int | None = None,
) -> None:
    """Store one batch of vectors by track id: shape (dimension,), float32, of length 1.

    Existing vectors are kept. `versions` contains the versions of the libraries that computed the
    vectors, `seconds` is the time that the model took, and `peak_memory_bytes` the largest memory
    since the model began to load, or None if it was not measured.
    """
    write_vectors(
        connection,
        _WRITE,
        encoder_id,
        vectors,
        device=device,
        versions=versions,
        seconds=seconds,
        peak_memory_bytes=peak_memory_bytes,
    )


def write_in_batch(
    connection: Connection, encoder_id: int, batch_id: int, vectors: Mapping[int, Float32]
) -> None:
    """Store vectors by track id in an existing batch. Existing vectors are kept."""
    _write_in_batch(connection, _WRITE, encoder_id, batch_id, vectors)


def write_vectors(
    connection: Connection,
    statement: TextClause,
    encoder_id: int,
    vectors: Mapping[int, Float32],
    *,
    device: str,
    versions: Mapping[str, str],
    seconds: float,
    peak_memory_bytes: int | None = None,
) -> None:
    """Store how a batch of vectors was computed, and run the statement that stores the vectors.

    The statement has the parameters encoder_id, batch_id, ids and vectors. If there are no vectors,
    nothing is stored.
    """
    if not vectors:
        return
    batch = {"encoder_id": encoder_id, "device": device, "versions": json.dumps(dict(versions))}
    batch |= {"tracks": len(vectors), "seconds": seconds, "peak_memory_bytes": peak_memory_bytes}
    batch_id = connection.execute(_BATCH, batch).scalar_one()
    _write_in_batch(connection, statement, encoder_id, batch_id, vectors)


def _write_in_batch(
    connection: Connection,
    statement: TextClause,
    encoder_id: int,
    batch_id: int,
    vectors: Mapping[int, Float32],
) -> None:
    texts = [Vector(vector).to_text() for vector in vectors.values()]
    ids = {"encoder_id": encoder_id, "batch_id": batch_id, "ids": list(vectors)}
    connection.execute(statement, ids | {"vectors": texts})


def seconds_per_track(connection: Connection) -> dict[str, float]:
    """Return the mean time per track in the last batches of each configured encoder, in seconds.

    The result is by encoder name. It contains no encoder without batches.
    """
    return {row.name: row.seconds for row in connection.execute(_SECONDS_PER_TRACK)}

"""Stores track vectors batch by batch, and finds tracks without a vector."""

import json
from collections.abc import Mapping, Sequence

from pgvector import Vector
from sqlalchemy import Connection, text

from mirpipe.records import Float32

_PENDING = text(
    "SELECT track_id FROM mirpipe.pending_embedding WHERE encoder_id = :encoder_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_BATCH = text(
    "INSERT INTO mirpipe.embedding_batch (encoder_id, device, versions, tracks, seconds) "
    "VALUES (:encoder_id, :device, CAST(:versions AS jsonb), :tracks, :seconds) RETURNING batch_id"
)
# An existing vector was computed from the same bytes by the same revision, so the two are equal.
_WRITE = text(
    "INSERT INTO mirpipe.embedding (encoder_id, track_id, collection, batch_id, embedding) "
    "SELECT :encoder_id, t.track_id, t.collection, :batch_id, CAST(new.vector AS vector) "
    "FROM unnest(CAST(:track_ids AS bigint[]), CAST(:vectors AS text[])) AS new (track_id, vector) "
    "JOIN mirpipe.track t ON t.track_id = new.track_id ORDER BY t.track_id "
    "ON CONFLICT DO NOTHING"
)


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
) -> None:
    """Store one batch of vectors by track id: shape (dimension,), float32, of length 1.

    Existing vectors are kept. `versions` contains the versions of the libraries that computed the
    vectors, and `seconds` is the time that the model took.
    """
    if not vectors:
        return
    batch_id = write_batch(
        connection,
        encoder_id,
        len(vectors),
        device=device,
        versions=versions,
        seconds=seconds,
    )
    connection.execute(
        _WRITE,
        {
            "encoder_id": encoder_id,
            "batch_id": batch_id,
            "track_ids": list(vectors),
            "vectors": [Vector(vector).to_text() for vector in vectors.values()],
        },
    )


def write_batch(
    connection: Connection,
    encoder_id: int,
    tracks: int,
    *,
    device: str,
    versions: Mapping[str, str],
    seconds: float,
) -> int:
    """Store how a batch of vectors of this many tracks was computed, and return its id."""
    row = {"encoder_id": encoder_id, "device": device, "versions": json.dumps(dict(versions))}
    row |= {"tracks": tracks, "seconds": seconds}
    return int(connection.execute(_BATCH, row).scalar_one())

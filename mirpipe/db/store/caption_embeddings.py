"""Stores caption vectors, and finds captions without a vector."""

import json
from collections.abc import Mapping

from pgvector import Vector
from sqlalchemy import Connection, text

from mirpipe.records import Float32

_ENCODERS = text(
    "SELECT e.encoder_id, e.name, e.revision FROM mirpipe.metric p JOIN mirpipe.encoder e "
    "ON e.name = p.spec ->> 'encoder' AND e.revision = p.spec ->> 'encoder_revision' AND e.wanted "
    "WHERE p.wanted AND p.spec ->> 'compares' = 'caption' ORDER BY e.name"
)
_PENDING = text(
    "SELECT caption_id, caption FROM mirpipe.pending_caption_embedding "
    "JOIN mirpipe.caption USING (caption_id) WHERE encoder_id = :encoder_id ORDER BY caption_id"
)
_WRITE = text(
    "INSERT INTO mirpipe.caption_embedding (encoder_id, caption_id, embedding, device, versions) "
    "VALUES (:encoder_id, :caption_id, CAST(:vector AS vector), :device, CAST(:versions AS jsonb)) "
    "ON CONFLICT DO NOTHING"
)


def configured_encoders(connection: Connection) -> dict[str, tuple[int, str]]:
    """Return the id and revision of each encoder that a configured text score uses, by name."""
    rows = connection.execute(_ENCODERS)
    return {row.name: (row.encoder_id, row.revision) for row in rows}


def pending(connection: Connection, encoder_id: int) -> dict[int, str]:
    """Return the captions that have no vector from this encoder, by id, in ascending order."""
    rows = connection.execute(_PENDING, {"encoder_id": encoder_id})
    return {row.caption_id: row.caption for row in rows}


def write(
    connection: Connection,
    encoder_id: int,
    caption_id: int,
    vector: Float32,
    *,
    device: str,
    versions: Mapping[str, str],
) -> None:
    """Store the vector of one caption: shape (dimension,), float32, of length 1.

    An existing vector is kept. `versions` contains the versions of the libraries that computed the
    vector.
    """
    row = {"encoder_id": encoder_id, "caption_id": caption_id, "device": device}
    row |= {"vector": Vector(vector).to_text(), "versions": json.dumps(dict(versions))}
    connection.execute(_WRITE, row)

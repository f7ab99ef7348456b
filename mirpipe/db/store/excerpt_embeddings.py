"""Stores excerpt vectors batch by batch, and finds excerpts without a vector."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from mirpipe.db.store.embeddings import write_vectors
from mirpipe.records import Excerpt, Float32

_PENDING = text(
    "SELECT p.track_id, x.excerpt_id, x.start_seconds, x.seconds, x.is_whole "
    "FROM mirpipe.pending_excerpt_embedding p JOIN mirpipe.excerpt x USING (excerpt_id) "
    "WHERE p.encoder_id = :encoder_id "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR p.track_id = ANY(:track_ids)) "
    "ORDER BY p.track_id"
)
# An existing vector was computed from the same audio by the same revision, so the two are equal.
_WRITE = text(
    "INSERT INTO mirpipe.excerpt_embedding (encoder_id, excerpt_id, batch_id, embedding) "
    "SELECT :encoder_id, new.excerpt_id, :batch_id, CAST(new.vector AS vector) "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:vectors AS text[])) "
    "AS new (excerpt_id, vector) ORDER BY new.excerpt_id ON CONFLICT DO NOTHING"
)


def pending(
    connection: Connection, encoder_id: int, track_ids: Sequence[int] | None = None
) -> dict[int, Excerpt]:
    """Return the excerpts that have no vector from this revision, by the id of their target.

    If `track_ids` is given, only these targets are considered.
    """
    parameters = {
        "encoder_id": encoder_id,
        "track_ids": None if track_ids is None else list(track_ids),
    }
    rows = connection.execute(_PENDING, parameters)
    return {track_id: Excerpt(*excerpt) for track_id, *excerpt in rows}


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
    """Store one batch of vectors by excerpt id: shape (dimension,), float32, of length 1.

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

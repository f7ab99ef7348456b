"""Stores the moments of an encoder's reference vectors, which are used to compute z.

The moments are the number of references, the sum of their vectors, and the sum of the outer
products. They are updated when references change, so the library need not be read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy, embedding_queue
from mirpipe.db.store.array_literals import array_literal
from mirpipe.db.store.searchable_tracks import searchable_targets
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.errors import DatabaseError
from mirpipe.records import Float64, Int64
from mirpipe.statistics.cosine_moments import Moments, mean_and_sd


@dataclass(frozen=True)
class TargetCosines:
    """Mean and standard deviation of the cosines between each target and all references.

    The three arrays have the shape (targets,). They are empty if there are no references.
    """

    n: int
    """Number of references."""
    target_ids: Int64
    """Track ids of the searchable targets."""
    mean: Float64
    """Mean cosine of each target."""
    sd: Float64
    """Population standard deviation of each target's cosines."""


_DIMENSION = text("SELECT dimension FROM mirpipe.encoder WHERE encoder_id = :encoder_id")
_READ = text(
    "SELECT n, vector_sum, outer_sum FROM mirpipe.background_moment WHERE encoder_id = :encoder_id"
)
_WRITE = text("""
    INSERT INTO mirpipe.background_moment (encoder_id, n, vector_sum, outer_sum)
    VALUES (:encoder_id, :n, :vector_sum, :outer_sum)
    ON CONFLICT (encoder_id) DO UPDATE
    SET n = excluded.n, vector_sum = excluded.vector_sum, outer_sum = excluded.outer_sum
""")
_CHANGED_MEMBERS = text("""
    SELECT m.track_id, c.previous IS NOT NULL AS is_overwritten
    FROM mirpipe.background_member m JOIN mirpipe.embedding_change c USING (encoder_id, track_id)
    WHERE m.encoder_id = :encoder_id AND m.track_id = ANY(:track_ids) ORDER BY m.track_id
""")
_COUNTED_VECTORS = """
    SELECT c.track_id, coalesce(c.previous, e.embedding)
    FROM mirpipe.embedding_change c
    LEFT JOIN mirpipe.embedding e ON e.encoder_id = c.encoder_id AND e.track_id = c.track_id
    WHERE c.encoder_id = %(encoder_id)s AND c.track_id = ANY(CAST(%(track_ids)s AS bigint[]))
      AND coalesce(c.previous, e.embedding) IS NOT NULL
"""
_DELETE_MEMBERS = text(
    "DELETE FROM mirpipe.background_member "
    "WHERE encoder_id = :encoder_id AND track_id = ANY(:track_ids)"
)
_DELETE_ALL = (
    text("DELETE FROM mirpipe.background_member WHERE encoder_id = :encoder_id"),
    text("DELETE FROM mirpipe.background_moment WHERE encoder_id = :encoder_id"),
)


def update_moments(
    connection: Connection, encoder_id: int, changes: Sequence[embedding_queue.Change]
) -> None:
    """Subtract the old vectors of changed references, and add their new vectors.

    The changes must still be in the queue, which contains the overwritten vectors. Raises
    DatabaseError if a vector that must be subtracted is missing.
    """
    is_searchable = {
        change.track_id: change.is_searchable
        for change in changes
        if change.collection == "reference"
    }
    parameters = {"encoder_id": encoder_id, "track_ids": list(is_searchable)}
    overwritten = {
        row.track_id: row.is_overwritten for row in connection.execute(_CHANGED_MEMBERS, parameters)
    }
    removed = [
        track_id
        for track_id, is_overwritten in overwritten.items()
        if is_overwritten or not is_searchable[track_id]
    ]
    added = [
        track_id
        for track_id in is_searchable
        if is_searchable[track_id] and overwritten.get(track_id, True)
    ]
    if not removed and not added:
        return
    moments = read_moments(connection, encoder_id)
    for start in range(0, len(removed), binary_copy.BLOCK_ROWS):
        block = removed[start : start + binary_copy.BLOCK_ROWS]
        found_ids, vectors = binary_copy.select_vectors(
            connection,
            _COUNTED_VECTORS,
            {"encoder_id": encoder_id, "track_ids": array_literal(block)},
        )
        if len(found_ids) < len(block):
            raise DatabaseError(
                "Cannot update the sums for z: vectors were deleted by another program. Run "
                "`mirpipe retrieve --rebuild`."
            )
        moments = moments.minus(vectors)
    for _, vectors in read_vectors(connection, encoder_id, added):
        moments = moments.plus(vectors)
    connection.execute(_DELETE_MEMBERS, {"encoder_id": encoder_id, "track_ids": removed})
    binary_copy.copy_rows(
        connection,
        "mirpipe.background_member",
        ["encoder_id", "track_id"],
        [[encoder_id] * len(added), added],
    )
    connection.execute(
        _WRITE,
        {
            "encoder_id": encoder_id,
            "n": moments.n,
            "vector_sum": moments.vector_sum.astype("<f8").tobytes(),
            "outer_sum": moments.outer_sum.astype("<f8").tobytes(),
        },
    )


def delete_moments(connection: Connection, encoder_id: int) -> None:
    """Delete the moments. To recompute them, update them with a change for every reference."""
    for statement in _DELETE_ALL:
        connection.execute(statement, {"encoder_id": encoder_id})


def read_moments(connection: Connection, encoder_id: int) -> Moments:
    """Return the moments of the references that were searchable at the last `retrieve`."""
    parameters = {"encoder_id": encoder_id}
    dimension = connection.execute(_DIMENSION, parameters).scalar_one()
    row = connection.execute(_READ, parameters).one_or_none()
    if row is None:
        return Moments.empty(dimension)
    return Moments(
        row.n,
        np.frombuffer(row.vector_sum, "<f8").astype(np.float64),
        np.frombuffer(row.outer_sum, "<f8").reshape(dimension, dimension).astype(np.float64),
    )


def read_target_cosines(connection: Connection, encoder_id: int) -> TargetCosines:
    """Return the mean and standard deviation of each target's cosines to all references."""
    moments = read_moments(connection, encoder_id)
    target_ids = searchable_targets(connection, encoder_id) if moments.n else np.empty(0, np.int64)
    mean, sd = np.empty(len(target_ids)), np.empty(len(target_ids))
    for indices, vectors in read_vectors(connection, encoder_id, target_ids):
        mean[indices], sd[indices] = mean_and_sd(vectors, moments)
    return TargetCosines(moments.n, target_ids, mean, sd)

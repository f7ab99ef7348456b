"""The reference library as a whole: the sums behind z, and the pairs behind percentile."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy, embedding_queue, neighbour_lists
from mirpipe.errors import DatabaseError
from mirpipe.records import Float64
from mirpipe.statistics.cosine_moments import Moments, mean_and_sd, pairs
from mirpipe.statistics.exact_top_k import cosines


@dataclass(frozen=True)
class Background:
    """Mean and sd (population) of each live target's cosines to all `n` references.

    Three arrays of one length, empty where n is 0.
    """

    n: int
    target_ids: NDArray[np.int64]
    mean: Float64
    sd: Float64


_DIMENSION = text("SELECT dimension FROM mirpipe.encoder WHERE encoder_id = :encoder_id")
_MOMENTS = text(
    "SELECT n, vector_sum, outer_sum FROM mirpipe.background_moment WHERE encoder_id = :encoder_id"
)
_WRITE_MOMENTS = text("""
    INSERT INTO mirpipe.background_moment (encoder_id, n, vector_sum, outer_sum)
    VALUES (:encoder_id, :n, :vector_sum, :outer_sum)
    ON CONFLICT (encoder_id) DO UPDATE
    SET n = excluded.n, vector_sum = excluded.vector_sum, outer_sum = excluded.outer_sum
""")
_MEMBERS = text("""
    SELECT m.track_id, c.previous IS NOT NULL AS overwritten
    FROM mirpipe.background_member m JOIN mirpipe.embedding_change c USING (encoder_id, track_id)
    WHERE m.encoder_id = :encoder_id AND m.track_id = ANY(:track_ids) ORDER BY m.track_id
""")
_COUNTED = """
    SELECT c.track_id, coalesce(c.previous, e.embedding)
    FROM mirpipe.embedding_change c
    LEFT JOIN mirpipe.embedding e ON e.encoder_id = c.encoder_id AND e.track_id = c.track_id
    WHERE c.encoder_id = %(encoder_id)s AND c.track_id = ANY(CAST(%(track_ids)s AS bigint[]))
      AND coalesce(c.previous, e.embedding) IS NOT NULL
"""
_LEAVE = text(
    "DELETE FROM mirpipe.background_member "
    "WHERE encoder_id = :encoder_id AND track_id = ANY(:track_ids)"
)

_FORGET = (
    text("DELETE FROM mirpipe.background_member WHERE encoder_id = :encoder_id"),
    text("DELETE FROM mirpipe.background_moment WHERE encoder_id = :encoder_id"),
)


def follow(
    connection: Connection, encoder_id: int, queued: Sequence[embedding_queue.Change]
) -> None:
    """Takes changed references out of the sums and into them, while they are on the queue."""
    live = {c.track_id: c.live for c in queued if c.collection == "reference"}
    asked = {"encoder_id": encoder_id, "track_ids": list(live)}
    members = {row.track_id: row.overwritten for row in connection.execute(_MEMBERS, asked)}
    leave = [id_ for id_, overwritten in members.items() if overwritten or not live[id_]]
    join = [id_ for id_ in live if live[id_] and members.get(id_, True)]
    if not leave and not join:
        return
    sums = moments(connection, encoder_id)
    for start in range(0, len(leave), binary_copy.BLOCK):
        block = leave[start : start + binary_copy.BLOCK]
        found, vectors = binary_copy.copy_vectors(
            connection, _COUNTED, {"encoder_id": encoder_id, "track_ids": block}
        )
        if len(found) < len(block):
            raise DatabaseError(
                "vectors were removed behind mirpipe's back: run `mirpipe retrieve --rebuild`"
            )
        sums = sums.minus(vectors)
    for _, vectors in binary_copy.read_vectors(connection, encoder_id, join):
        sums = sums.plus(vectors)
    connection.execute(_LEAVE, {"encoder_id": encoder_id, "track_ids": leave})
    binary_copy.copy_rows(
        connection,
        "mirpipe.background_member",
        ["encoder_id", "track_id"],
        [[encoder_id] * len(join), join],
    )
    connection.execute(
        _WRITE_MOMENTS,
        {
            "encoder_id": encoder_id,
            "n": sums.n,
            "vector_sum": sums.vector_sum.astype("<f8").tobytes(),
            "outer_sum": sums.outer_sum.astype("<f8").tobytes(),
        },
    )


def forget(connection: Connection, encoder_id: int) -> None:
    """Removes the sums; the next `follow` of all changes makes them anew."""
    for statement in _FORGET:
        connection.execute(statement, {"encoder_id": encoder_id})


def moments(connection: Connection, encoder_id: int) -> Moments:
    """The sums over the references that were live when retrieve last looked."""
    asked = {"encoder_id": encoder_id}
    dimension = connection.execute(_DIMENSION, asked).scalar_one()
    row = connection.execute(_MOMENTS, asked).one_or_none()
    if row is None:
        return Moments.of_nothing(dimension)
    return Moments(
        row.n,
        np.frombuffer(row.vector_sum, "<f8").astype(np.float64),
        np.frombuffer(row.outer_sum, "<f8").reshape(dimension, dimension).astype(np.float64),
    )


def background(connection: Connection, encoder_id: int) -> Background:
    """How the cosines of every live target are spread over the whole reference library."""
    sums = moments(connection, encoder_id)
    target_ids = (
        neighbour_lists.targets(connection, encoder_id) if sums.n else np.empty(0, np.int64)
    )
    mean, sd = np.empty(len(target_ids)), np.empty(len(target_ids))
    for place, vectors in binary_copy.read_vectors(connection, encoder_id, target_ids):
        mean[place], sd[place] = mean_and_sd(vectors, sums)
    return Background(sums.n, target_ids, mean, sd)


def reference_pairs(connection: Connection, encoder_id: int, *, limit: int = 100_000) -> Float64:
    """Cosines of pairs of live references, ascending: all pairs, or `limit` of them at most.

    Which ones depends on the references' content alone, so that equal libraries agree.
    """
    references = neighbour_lists.references(connection, encoder_id).track_ids
    first, second = pairs(len(references), limit)
    found = np.empty(len(first))
    for start in range(0, len(first), binary_copy.BLOCK):
        chunk = slice(start, start + binary_copy.BLOCK)
        places = np.unique(np.concatenate((first[chunk], second[chunk])))
        rows = list(binary_copy.read_vectors(connection, encoder_id, references[places]))
        vectors = np.concatenate([block for _, block in rows])
        vectors[np.concatenate([place for place, _ in rows])] = vectors.copy()
        found[chunk] = cosines(
            vectors[np.searchsorted(places, first[chunk])],
            vectors[np.searchsorted(places, second[chunk])],
        )
    return np.sort(found)

"""The queue of changed vectors that `retrieve` must process. Database triggers fill the queue.

A change is a new, changed or deleted vector, or a track that has become usable or unusable. Tracks
are queued only for configured and active encoders. When another encoder is configured again, the
tracks that have changed meanwhile are queued.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.store.array_literals import array_literal
from mirpipe.records import Collection


@dataclass(frozen=True)
class Change:
    """A track in the queue, in its current state."""

    track_id: int
    collection: Collection
    is_searchable: bool
    """Whether the track is usable and has a vector."""


# A row that another transaction is writing stays in the queue for the next run. Waiting for that
# transaction could cause a deadlock.
_LOCK_CHANGES = text("""
    SELECT c.track_id FROM mirpipe.embedding_change c JOIN mirpipe.track t USING (track_id)
    WHERE c.encoder_id = :encoder_id AND (t.collection = 'target') = :targets
    ORDER BY c.track_id LIMIT :most FOR UPDATE OF c SKIP LOCKED
""")
# This is a separate statement, because its snapshot must be taken after the rows are locked.
_STATE = text("""
    SELECT t.track_id, t.collection, t.state = 'ok' AND e.track_id IS NOT NULL
    FROM mirpipe.track t
    LEFT JOIN mirpipe.embedding e ON e.encoder_id = :encoder_id AND e.track_id = t.track_id
    WHERE t.track_id = ANY(CAST(:track_ids AS bigint[])) ORDER BY t.track_id
""")
_DELETE_CHANGES = text(
    "DELETE FROM mirpipe.embedding_change "
    "WHERE encoder_id = :encoder_id AND track_id = ANY(CAST(:track_ids AS bigint[]))"
)
_COUNT = text("SELECT count(*) FROM mirpipe.embedding_change WHERE encoder_id = ANY(:encoder_ids)")
_QUEUE_ALL = text("""
    INSERT INTO mirpipe.embedding_change (encoder_id, track_id)
    SELECT encoder_id, track_id FROM mirpipe.embedding WHERE encoder_id = :encoder_id
    ORDER BY track_id ON CONFLICT DO NOTHING
""")


def lock_changes(
    connection: Connection, encoder_id: int, *, targets: bool, most: int
) -> list[Change]:
    """Lock up to `most` changes in an encoder's queue, and return them.

    If `targets` is true, they are changes of targets, otherwise of all other tracks. The tracks
    stay in the returned state until the transaction ends. The transaction must be READ COMMITTED.
    """
    parameters = {"encoder_id": encoder_id}
    limits = {"targets": targets, "most": most}
    track_ids = list(connection.execute(_LOCK_CHANGES, parameters | limits).scalars())
    rows = connection.execute(_STATE, parameters | {"track_ids": array_literal(track_ids)})
    return [Change(*row) for row in rows]


def count_changes(connection: Connection, encoder_ids: Sequence[int]) -> int:
    """Return the number of changes in the queues of these encoders."""
    return int(connection.execute(_COUNT, {"encoder_ids": list(encoder_ids)}).scalar_one())


def delete_changes(connection: Connection, encoder_id: int, track_ids: Sequence[int]) -> None:
    """Delete the changes of these tracks from the queue after they have been processed."""
    connection.execute(
        _DELETE_CHANGES, {"encoder_id": encoder_id, "track_ids": array_literal(track_ids)}
    )


def queue_all_vectors(connection: Connection, encoder_id: int) -> None:
    """Add a change for every vector of the revision."""
    connection.execute(_QUEUE_ALL, {"encoder_id": encoder_id})

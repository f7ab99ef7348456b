"""The queue of vectors that came, went or changed eligibility since `retrieve` last looked."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.records import Collection


@dataclass(frozen=True)
class Change:
    """A track of the queue as it is now; live: usable and with a vector."""

    track_id: int
    collection: Collection
    live: bool


# What a writer still holds belongs to the next time: waiting for it could deadlock.
_TAKE = text("""
    SELECT track_id FROM mirpipe.embedding_change WHERE encoder_id = :encoder_id
    ORDER BY track_id FOR UPDATE SKIP LOCKED
""")
# A statement of its own: its snapshot must be younger than the locks.
_STATE = text("""
    SELECT t.track_id, t.collection, t.state = 'ok' AND e.track_id IS NOT NULL
    FROM mirpipe.track t
    LEFT JOIN mirpipe.embedding e ON e.encoder_id = :encoder_id AND e.track_id = t.track_id
    WHERE t.track_id = ANY(:track_ids) ORDER BY t.track_id
""")
_DONE = text(
    "DELETE FROM mirpipe.embedding_change "
    "WHERE encoder_id = :encoder_id AND track_id = ANY(:track_ids)"
)
_QUEUE_ALL = text("""
    INSERT INTO mirpipe.embedding_change (encoder_id, track_id)
    SELECT encoder_id, track_id FROM mirpipe.embedding WHERE encoder_id = :encoder_id
    ORDER BY track_id ON CONFLICT DO NOTHING
""")


def take(connection: Connection, encoder_id: int) -> list[Change]:
    """The queue; until `done` and the end of the transaction its tracks stay as they are.

    Wants READ COMMITTED.
    """
    taken = list(connection.execute(_TAKE, {"encoder_id": encoder_id}).scalars())
    found = connection.execute(_STATE, {"encoder_id": encoder_id, "track_ids": taken})
    return [Change(*row) for row in found]


def done(connection: Connection, encoder_id: int, track_ids: Sequence[int]) -> None:
    """Takes these tracks off the queue."""
    connection.execute(_DONE, {"encoder_id": encoder_id, "track_ids": list(track_ids)})


def queue_all(connection: Connection, encoder_id: int) -> None:
    """Puts every vector of the revision on the queue."""
    connection.execute(_QUEUE_ALL, {"encoder_id": encoder_id})

"""Exact search over stored vectors, streamed: what belongs into neighbour lists."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store import binary_copy
from mirpipe.db.store.neighbour_lists import Lists, References
from mirpipe.records import Float64, Int64
from mirpipe.statistics.exact_top_k import Block, top_k


@dataclass(frozen=True)
class Entries:
    """Entries of some lists, three arrays of one length: by list, best first."""

    target_ids: Int64
    reference_ids: Int64
    cosines: Float64


def nearest(
    connection: Connection, encoder_id: int, lists: Lists, references: References, k: int
) -> Iterator[Entries]:
    """The best `k` of `references` at or above each list's horizon, many lists at a time."""
    for place, vectors in binary_copy.read_vectors(connection, encoder_id, lists.target_ids):
        best = top_k(
            vectors,
            _blocks(connection, encoder_id, references),
            k,
            own=references.order_of(lists.hashes[place]),
            floor_cosine=lists.horizon_cosine[place],
            floor_order=references.last_up_to(lists.horizon_hash[place]),
        )
        yield Entries(
            lists.target_ids[place][best.target], references.track_ids[best.order], best.cosine
        )


def _blocks(connection: Connection, encoder_id: int, references: References) -> Iterator[Block]:
    for place, vectors in binary_copy.read_vectors(connection, encoder_id, references.track_ids):
        yield Block(vectors, place)

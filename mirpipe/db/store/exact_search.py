"""Finds the references that belong in neighbour lists, with an exact search over all vectors."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store.neighbour_lists import NeighbourLists
from mirpipe.db.store.searchable_tracks import References
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.records import Float64, Int64
from mirpipe.statistics.distinct_vectors import Block
from mirpipe.statistics.exact_top_k import top_k


@dataclass(frozen=True)
class ListEntries:
    """List entries: three arrays of equal length, sorted by list, with the best entry first."""

    target_ids: Int64
    reference_ids: Int64
    cosines: Float64


def search_entries(
    connection: Connection, encoder_id: int, lists: NeighbourLists, references: References, k: int
) -> Iterator[ListEntries]:
    """Yield the best `k` of `references` at or above the horizon of each list.

    Each result covers a block of lists. Vectors are read in blocks, so memory use does not grow
    with the library.
    """
    for indices, vectors in read_vectors(connection, encoder_id, lists.target_ids):
        best = top_k(
            vectors,
            _reference_blocks(connection, encoder_id, references),
            k,
            own=references.places_of(lists.hashes[indices]),
            floor_cosine=lists.horizon_cosine[indices],
            floor_order=references.last_places_up_to(lists.horizon_hash[indices]),
        )
        yield ListEntries(
            lists.target_ids[indices][best.target], references.track_ids[best.order], best.cosine
        )


def _reference_blocks(
    connection: Connection, encoder_id: int, references: References
) -> Iterator[Block]:
    for places, vectors in read_vectors(connection, encoder_id, references.track_ids):
        yield Block(vectors, places)

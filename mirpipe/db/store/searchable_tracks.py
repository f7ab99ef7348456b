"""Reads an encoder's searchable tracks: usable tracks that have a vector from its revision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from mirpipe.db.store import binary_copy
from mirpipe.db.store.array_literals import array_literal
from mirpipe.records import Collection, Int64

_SEARCHABLE = """
    SELECT track_id, t.content_sha256 FROM mirpipe.embedding e JOIN mirpipe.track t USING (track_id)
    WHERE e.encoder_id = %(encoder_id)s AND e.collection = %(collection)s AND t.state = 'ok'
      AND (CAST(%(track_ids)s AS bigint[]) IS NULL
        OR track_id = ANY(CAST(%(track_ids)s AS bigint[])))
    ORDER BY t.content_sha256
"""


@dataclass(frozen=True)
class References:
    """References in the order of their content hashes.

    The place of a reference is its index in this order. References with equal cosines are sorted by
    this index.
    """

    track_ids: Int64
    """Track ids, shape (n,)."""
    hashes: NDArray[np.bytes_]
    """Content hashes, ascending, shape (n,)."""

    def places_of(self, hashes: NDArray[np.bytes_]) -> Int64:
        """Return the index of the reference with each hash, shape (m,), or -1 if there is none."""
        places = np.searchsorted(self.hashes, hashes)
        is_reference = places < len(self.hashes)
        is_reference[is_reference] = self.hashes[places[is_reference]] == hashes[is_reference]
        return np.where(is_reference, places, -1)

    def last_places_up_to(self, hashes: NDArray[np.bytes_]) -> Int64:
        """Return, for each hash, the index of the last reference with the same or a lower hash.

        The result has the shape (m,). The index is -1 if all references have higher hashes.
        """
        return np.searchsorted(self.hashes, hashes, side="right") - 1


def searchable_references(
    connection: Connection, encoder_id: int, track_ids: Sequence[int] | None = None
) -> References:
    """Return the searchable references. If `track_ids` is given, only consider these."""
    return References(*_searchable(connection, encoder_id, "reference", track_ids))


def searchable_targets(connection: Connection, encoder_id: int) -> Int64:
    """Return the track ids of the searchable targets, in the order of their content hashes."""
    return _searchable(connection, encoder_id, "target", None)[0]


def to_hash_array(hashes: Sequence[bytes]) -> NDArray[np.bytes_]:
    """Return SHA-256 hashes as an array of shape (n,), 32 bytes per item."""
    return np.array([bytes(value) for value in hashes], "S32")


def _searchable(
    connection: Connection,
    encoder_id: int,
    collection: Collection,
    track_ids: Sequence[int] | None,
) -> tuple[Int64, NDArray[np.bytes_]]:
    parameters = {
        "encoder_id": encoder_id,
        "collection": collection,
        "track_ids": None if track_ids is None else array_literal(track_ids),
    }
    return binary_copy.select_hashes(connection, _SEARCHABLE, parameters)

"""Reads all reference vectors of one encoder, for use in several searches.

The vectors are cached if they fit in memory. Otherwise every search reads them from the database
again.
"""

from collections.abc import Iterator
from functools import cached_property

from sqlalchemy import Connection, text

from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.records import Int64
from mirpipe.statistics.exact_top_k import Block

MAX_CACHED_BYTES = 1 << 28
"""Maximum cache size: 256 MiB, or 130,000 vectors with 512 dimensions."""

_DIMENSION = text("SELECT dimension FROM mirpipe.encoder WHERE encoder_id = :encoder_id")


class ReferenceVectors:
    """The vectors of the references in `track_ids`. Every track must have a vector."""

    def __init__(self, connection: Connection, encoder_id: int, track_ids: Int64) -> None:
        self.track_ids = track_ids
        self._connection = connection
        self._encoder_id = encoder_id

    def blocks(self) -> Iterator[Block]:
        """Yield all vectors once, in blocks. The tie order is the index in `track_ids`."""
        return iter(self._cached_blocks) if self._fits_into_memory else self._read_blocks()

    @cached_property
    def _fits_into_memory(self) -> bool:
        rows = self._connection.execute(_DIMENSION, {"encoder_id": self._encoder_id})
        return len(self.track_ids) * int(rows.scalar_one()) * 4 <= MAX_CACHED_BYTES

    @cached_property
    def _cached_blocks(self) -> list[Block]:
        return list(self._read_blocks())

    def _read_blocks(self) -> Iterator[Block]:
        for places, vectors in read_vectors(self._connection, self._encoder_id, self.track_ids):
            yield Block(vectors, places)

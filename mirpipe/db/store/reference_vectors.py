"""All reference vectors of one encoder: held where they fit into memory, else streamed anew."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.records import Float32
from mirpipe.statistics.exact_top_k import Block

HELD_BYTES = 1 << 28
"""A quarter of a gigabyte: 130,000 vectors of 512 numbers."""

_DIMENSION = text("SELECT dimension FROM mirpipe.encoder WHERE encoder_id = :encoder_id")


class ReferenceVectors:
    """The vectors of `track_ids`, all of which have one; a reference's place is its index there."""

    def __init__(
        self, connection: Connection, encoder_id: int, track_ids: NDArray[np.int64]
    ) -> None:
        self.track_ids = track_ids
        self._connection = connection
        self._encoder_id = encoder_id

    def blocks(self) -> Iterator[Block]:
        """Every vector once, some at a time."""
        return iter(self._held) if self._fits else self._read()

    @cached_property
    def _fits(self) -> bool:
        asked = self._connection.execute(_DIMENSION, {"encoder_id": self._encoder_id})
        return len(self.track_ids) * int(asked.scalar_one()) * 4 <= HELD_BYTES

    @cached_property
    def _held(self) -> list[Block]:
        return list(self._read())

    def _read(self) -> Iterator[Block]:
        for places, found in binary_copy.read_vectors(
            self._connection, self._encoder_id, self.track_ids
        ):
            yield Block(found, places)


def vectors(connection: Connection, encoder_id: int, track_ids: NDArray[np.int64]) -> Float32:
    """The vectors of tracks that all have one, in the order of their ids, shape (n, D)."""
    found = np.empty((len(track_ids), 0), np.float32)
    for places, block in binary_copy.read_vectors(connection, encoder_id, track_ids):
        if not found.shape[1]:
            found = np.empty((len(track_ids), block.shape[1]), np.float32)
        found[places] = block
    return found

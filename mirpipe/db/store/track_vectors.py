"""Copies the vectors of tracks to a temporary file, so that they are read from the database once.

The file is in the home folder and has no name, so it is deleted even if the process is killed.
"""

import mmap
from collections.abc import Iterator
from tempfile import TemporaryFile

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store.binary_copy import BLOCK_ROWS
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.records import Float32, Int64
from mirpipe.settings import settings
from mirpipe.statistics.distinct_vectors import Block


class TrackVectors:
    """The vectors of one or more tracks. Every track must have a vector from the encoder."""

    def __init__(self, connection: Connection, encoder_id: int, track_ids: Int64) -> None:
        self.track_ids = track_ids
        settings().home.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=settings().home) as file:
            for indices, vectors in read_vectors(connection, encoder_id, track_ids):
                file.write(vectors[np.argsort(indices)].tobytes())
            file.flush()
            # The file exists as long as it is mapped.
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def rows(self, places: Int64 | slice) -> Float32:
        """Return the vectors of the tracks with these indices in `track_ids`, shape (n, D)."""
        vectors = np.frombuffer(self._file, np.float32).reshape(len(self.track_ids), -1)
        copied = vectors[places].copy()
        self._file.madvise(mmap.MADV_DONTNEED)  # Pages that were read do not count as our memory.
        return copied

    def blocks(self) -> Iterator[Block]:
        """Yield all vectors once, in blocks. The tie order is the index in `track_ids`."""
        for start in range(0, len(self.track_ids), BLOCK_ROWS):
            stop = min(start + BLOCK_ROWS, len(self.track_ids))
            yield Block(self.rows(slice(start, stop)), np.arange(start, stop))

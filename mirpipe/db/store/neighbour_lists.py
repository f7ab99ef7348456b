"""Reads neighbour lists, and finds lists that have become too short.

A list contains every searchable reference at or above its horizon, but at most MAX_ENTRIES
references. The horizon is a pair of a cosine and a content hash. It is NULL if the list contains
all searchable references. A target's list never contains a reference with the target's own content.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store.searchable_tracks import to_hash_array
from mirpipe.records import Float64, Int64

MAX_ENTRIES = 50
"""Maximum number of references in a list."""
SHOWN_MATCHES = 10
"""Number of references in a list that are shown. The search is repeated for a shorter list."""

_LISTS = text("""
    SELECT s.target_id, t.content_sha256, s.horizon_cosine, s.horizon_sha256
    FROM mirpipe.neighbour_state s JOIN mirpipe.track t ON t.track_id = s.target_id
    WHERE s.encoder_id = :encoder_id
      AND (CAST(:target_ids AS bigint[]) IS NULL OR s.target_id = ANY(:target_ids))
    ORDER BY s.target_id
""")
_TOO_SHORT = text("""
    SELECT s.target_id FROM mirpipe.neighbour_state s
    WHERE s.encoder_id = :encoder_id AND s.horizon_cosine IS NOT NULL
      AND (SELECT count(*) FROM mirpipe.neighbour n
        WHERE n.encoder_id = s.encoder_id AND n.target_id = s.target_id) < :shown
    ORDER BY s.target_id LIMIT :most
""")


@dataclass(frozen=True)
class NeighbourLists:
    """Targets and horizons of n lists. Each array has the shape (n,)."""

    target_ids: Int64
    """Track ids of the targets."""
    hashes: NDArray[np.bytes_]
    """Content hashes of the targets."""
    horizon_cosine: Float64
    """Cosines of the horizons; -inf if the list contains all searchable references."""
    horizon_hash: NDArray[np.bytes_]
    """Content hashes of the horizons."""

    def part(self, rows: slice) -> "NeighbourLists":
        """Return only these lists."""
        return NeighbourLists(
            self.target_ids[rows],
            self.hashes[rows],
            self.horizon_cosine[rows],
            self.horizon_hash[rows],
        )


def read_lists(
    connection: Connection, encoder_id: int, target_ids: Sequence[int] | None = None
) -> NeighbourLists:
    """Return the encoder's lists without their entries, sorted by target id.

    If `target_ids` is given, only the lists of these targets are returned.
    """
    parameters = {
        "encoder_id": encoder_id,
        "target_ids": None if target_ids is None else list(target_ids),
    }
    rows = connection.execute(_LISTS, parameters).all()
    return NeighbourLists(
        np.array([row.target_id for row in rows], np.int64),
        to_hash_array([row.content_sha256 for row in rows]),
        np.array([-np.inf if row[2] is None else row[2] for row in rows], np.float64),
        to_hash_array([b"\xff" * 32 if row[3] is None else row[3] for row in rows]),
    )


def targets_with_too_short_lists(
    connection: Connection, encoder_id: int, *, most: int
) -> list[int]:
    """Return up to `most` targets whose lists are shorter than shown lists, with references left.

    The lowest track ids come first.
    """
    parameters = {"encoder_id": encoder_id, "shown": SHOWN_MATCHES, "most": most}
    return list(connection.execute(_TOO_SHORT, parameters).scalars())

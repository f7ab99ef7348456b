"""Reads which tracks contain the same recording."""

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.records import Int64

_PAIRS = text("""
    SELECT track_id, other_id FROM mirpipe.v_same_recording
    WHERE track_id = ANY(CAST(:track_ids AS bigint[])) ORDER BY track_id, other_id
""")


def read_same_recordings(connection: Connection, track_ids: Int64) -> tuple[Int64, Int64]:
    """Return all pairs of one of these tracks and a track with the same recording, shape (pairs,).

    The first array contains the ids of the given tracks, the second one those of the others.
    """
    rows = connection.execute(_PAIRS, {"track_ids": track_ids.tolist()}).all()
    pairs = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]

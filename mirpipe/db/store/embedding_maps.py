"""Computes and stores the embedding maps of a run: two-dimensional projections of tracks."""

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.db.store.cosine_moments import read_moments
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.statistics.principal_components import principal_plane

# The tracks with the lowest content hashes are a random sample, and the same on every machine.
_SHOWN_TRACKS = text("""
    SELECT track_id FROM (
        SELECT t.track_id, t.collection,
            row_number() OVER (PARTITION BY t.collection ORDER BY t.content_sha256) AS place
        FROM mirpipe.track t
        WHERE t.state = 'ok' AND EXISTS (SELECT FROM mirpipe.embedding v
            WHERE v.encoder_id = :encoder_id AND v.track_id = t.track_id)) embedded
    WHERE place <= CASE collection WHEN 'reference' THEN 2000 ELSE 1000 END
    ORDER BY track_id
""")
_TRACK_COUNT = text("""
    SELECT count(*) FROM mirpipe.embedding v JOIN mirpipe.track t USING (track_id)
    WHERE v.encoder_id = :encoder_id AND t.state = 'ok'
""")
_DELETE_EARLIER = text("DELETE FROM mirpipe.map WHERE run_id <> :run_id")
_INSERT = text("""
    INSERT INTO mirpipe.map (run_id, encoder_id, tracks_n, spread_x, spread_y)
    VALUES (:run_id, :encoder_id, :tracks_n, :spread_x, :spread_y)
""")


def write_map(connection: Connection, run_id: int, encoder_id: int) -> None:
    """Compute and store one encoder's map, and delete the maps of earlier runs.

    At most 2,000 references, 1,000 targets and 1,000 clips are shown. There is no map if there are
    fewer than three references, or if all their vectors are equal.
    """
    connection.execute(_DELETE_EARLIER, {"run_id": run_id})
    plane = principal_plane(read_moments(connection, encoder_id))
    if plane is None:
        return
    parameters = {"run_id": run_id, "encoder_id": encoder_id}
    tracks_n = connection.execute(_TRACK_COUNT, parameters).scalar_one()
    spread = dict(zip(("spread_x", "spread_y"), plane.variance_shares, strict=True))
    connection.execute(_INSERT, parameters | {"tracks_n": tracks_n} | spread)
    track_ids = np.array(connection.execute(_SHOWN_TRACKS, parameters).scalars().all(), np.int64)
    for indices, vectors in read_vectors(connection, encoder_id, track_ids):
        x, y = plane.project(vectors).T
        n = len(indices)
        columns = ["run_id", "encoder_id", "track_id", "x", "y"]
        rows = [[run_id] * n, [encoder_id] * n, track_ids[indices], x, y]
        binary_copy.copy_rows(connection, "mirpipe.map_point", columns, rows)

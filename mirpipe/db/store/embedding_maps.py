"""Maps: where tracks lie in an encoder's space, as far as two dimensions can show it."""

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy, cosine_moments
from mirpipe.statistics.principal_components import plane

# Content hashes are as good as drawn by lot, and the same wherever the library is.
_CHOSEN = text("""
    SELECT track_id FROM (
        SELECT t.track_id, t.collection,
            row_number() OVER (PARTITION BY t.collection ORDER BY t.content_sha256) AS place
        FROM mirpipe.track t
        WHERE t.state = 'ok' AND EXISTS (SELECT FROM mirpipe.embedding v
            WHERE v.encoder_id = :encoder_id AND v.track_id = t.track_id)) found
    WHERE place <= CASE collection WHEN 'reference' THEN 2000 ELSE 1000 END
    ORDER BY track_id
""")
_TRACKS = text("""
    SELECT count(*) FROM mirpipe.embedding v JOIN mirpipe.track t USING (track_id)
    WHERE v.encoder_id = :encoder_id AND t.state = 'ok'
""")
_FORGET = text("DELETE FROM mirpipe.map WHERE run_id <> :run_id")
_INSERT = text("""
    INSERT INTO mirpipe.map (run_id, encoder_id, tracks_n, spread_x, spread_y)
    VALUES (:run_id, :encoder_id, :tracks_n, :spread_x, :spread_y)
""")


def draw(connection: Connection, run_id: int, encoder_id: int) -> None:
    """Draws the map of one encoder for this run; those of earlier runs go.

    Without three references, or where all are equal, there is none.
    """
    connection.execute(_FORGET, {"run_id": run_id})
    ground = plane(cosine_moments.moments(connection, encoder_id))
    if ground is None:
        return
    asked = {"run_id": run_id, "encoder_id": encoder_id}
    tracks_n = connection.execute(_TRACKS, asked).scalar_one()
    spread = dict(zip(("spread_x", "spread_y"), ground.shares, strict=True))
    connection.execute(_INSERT, asked | {"tracks_n": tracks_n} | spread)
    chosen = np.array(connection.execute(_CHOSEN, asked).scalars().all(), np.int64)
    for places, vectors in binary_copy.read_vectors(connection, encoder_id, chosen):
        x, y = ground.place(vectors).T
        n = len(places)
        columns = ["run_id", "encoder_id", "track_id", "x", "y"]
        rows = [[run_id] * n, [encoder_id] * n, chosen[places], x, y]
        binary_copy.copy_rows(connection, "mirpipe.map_point", columns, rows)

"""Measures retrieval: all neighbour lists, 1% new references, and plain SQL."""

import numpy as np
from sqlalchemy import text

from benchmarks.large_library import (
    add_tracks,
    clustered_vectors,
    measure_seconds,
    register_encoder,
    temporary_server,
)
from mirpipe.db.engine import engine
from mirpipe.stages.retrieve import retrieve

TARGETS, REFERENCES, DIMENSION = 500, 20_000, 512
NEW_REFERENCES = REFERENCES // 100

_LATERAL = """
    SELECT count(*) FROM mirpipe.v_embedding_{0} t CROSS JOIN LATERAL (
        SELECT r.track_id FROM mirpipe.v_embedding_{0} r WHERE r.collection = 'reference'
        ORDER BY r.embedding <=> t.embedding LIMIT 10) n
    WHERE t.collection = 'target'
"""


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes half a minute."""
    size = f"{TARGETS} targets × {REFERENCES:,} references × {DIMENSION}"
    random = np.random.default_rng(0)
    centres = random.standard_normal((200, DIMENSION))
    with temporary_server():
        encoder_id = register_encoder(DIMENSION)
        add_tracks(encoder_id, "target", clustered_vectors(random, centres, TARGETS))
        add_tracks(encoder_id, "reference", clustered_vectors(random, centres, REFERENCES))
        first_time = measure_seconds(retrieve)
        add_tracks(encoder_id, "reference", clustered_vectors(random, centres, NEW_REFERENCES))
        with_new = measure_seconds(retrieve)
        without_new = measure_seconds(retrieve)
        recomputed = measure_seconds(lambda: retrieve(rebuild=True))
        with engine("app").connect() as connection:
            query = text(_LATERAL.format(encoder_id))
            lateral = measure_seconds(lambda: connection.execute(query).scalar_one())
    return [
        (f"retrieve, first time, {size}", first_time, "s"),
        (f"retrieve, all lists recomputed, {size}", recomputed, "s"),
        (f"retrieve, {NEW_REFERENCES} new references", with_new, "s"),
        ("retrieve, all lists recomputed ÷ 1% new references", recomputed / with_new, "×"),
        ("retrieve, nothing new", without_new, "s"),
        (f"exact top 10 by SQL LATERAL, {size}", lateral, "s"),
        ("SQL LATERAL ÷ retrieve, all lists recomputed", lateral / recomputed, "×"),
    ]

"""Neighbour lists all anew, after one percent more references, and by SQL, on its own server."""

import numpy as np
from sqlalchemy import text

from benchmarks.large_library import add, clustered, register, seconds, throw_away_server
from mirpipe.db.engine import engine
from mirpipe.stages.retrieve import retrieve

TARGETS, REFERENCES, DIMENSION = 500, 20_000, 512
NEW = REFERENCES // 100

_LATERAL = """
    SELECT count(*) FROM mirpipe.v_embedding_{0} t CROSS JOIN LATERAL (
        SELECT r.track_id FROM mirpipe.v_embedding_{0} r WHERE r.collection = 'reference'
        ORDER BY r.embedding <=> t.embedding LIMIT 10) n
    WHERE t.collection = 'target'
"""


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; takes half a minute."""
    size = f"{TARGETS} targets × {REFERENCES:,} references × {DIMENSION}"
    random = np.random.default_rng(0)
    centres = random.standard_normal((200, DIMENSION))
    with throw_away_server():
        encoder_id = register(DIMENSION)
        add(encoder_id, "target", clustered(random, centres, TARGETS))
        add(encoder_id, "reference", clustered(random, centres, REFERENCES))
        full = seconds(retrieve)
        add(encoder_id, "reference", clustered(random, centres, NEW))
        more = seconds(retrieve)
        nothing = seconds(retrieve)
        rebuilt = seconds(lambda: retrieve(rebuild=True))
        with engine("app").connect() as connection:
            query = text(_LATERAL.format(encoder_id))
            lateral = seconds(lambda: connection.execute(query).scalar_one())
    return [
        (f"retrieve, first time, {size}", full, "s"),
        (f"retrieve, all lists anew, {size}", rebuilt, "s"),
        (f"retrieve, {NEW} new references", more, "s"),
        ("retrieve, all lists anew ÷ 1 % new references", rebuilt / more, "×"),
        ("retrieve, nothing new", nothing, "s"),
        (f"exact top 10 by SQL LATERAL, {size}", lateral, "s"),
        ("SQL LATERAL ÷ retrieve, all lists anew", lateral / rebuilt, "×"),
    ]

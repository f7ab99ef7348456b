"""All that a run says of one encoder's rankings, on a large library on a server of its own."""

import time

import numpy as np
from sqlalchemy import text

from benchmarks.large_library import add, clustered, register, seconds, throw_away_server
from mirpipe.db.engine import engine
from mirpipe.stages.report.ranking_quality import insert_rankings

TARGETS, REFERENCES, DIMENSION = 1_000, 100_000, 512

_LABELS = text("""
    UPDATE mirpipe.track SET labels = jsonb_build_object(
        'genre', 'g' || track_id % 20, 'instrument', 'i' || track_id % 7,
        'work', 'w' || track_id % 20000)
""")
_SERVE = text("INSERT INTO mirpipe.serving_revision VALUES ('bench', :encoder_id)")
_RUN = text("""
    INSERT INTO mirpipe.run (trigger, state_digest, library)
    VALUES ('benchmark', '', '{}') RETURNING run_id
""")


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; takes minutes, most of them to make the library."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((500, DIMENSION))
    with throw_away_server():
        encoder_id = register(DIMENSION)
        add(encoder_id, "target", clustered(random, centres, TARGETS))
        for _ in range(0, REFERENCES, 10_000):
            add(encoder_id, "reference", clustered(random, centres, 10_000))
        with engine("app").begin() as connection:
            connection.execute(_LABELS)
            connection.execute(_SERVE, {"encoder_id": encoder_id})
            run_id = connection.execute(_RUN).scalar_one()
            started = time.process_time()
            took = seconds(lambda: insert_rankings(connection, run_id))
            worked = time.process_time() - started
    size = f"{TARGETS:,} targets and 1,000 references × {REFERENCES:,} references × {DIMENSION}"
    name = f"rankings of a run, by cosine and by CSLS, an encoder, {size}"
    return [(name, took, "s"), (name, worked, "CPU-s")]

"""Measures how long a run takes to evaluate one encoder's rankings in a large library."""

import time

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
from mirpipe.stages.report.ranking_quality import insert_ranking_results

TARGETS, REFERENCES, DIMENSION = 1_000, 100_000, 512

_LABELS = text("""
    UPDATE mirpipe.track SET labels = jsonb_build_object(
        'genre', 'g' || track_id % 20, 'instrument', 'i' || track_id % 7,
        'work', 'w' || track_id % 20000)
""")
_ACTIVATE = text("INSERT INTO mirpipe.serving_revision VALUES ('bench', :encoder_id)")
_RUN = text("""
    INSERT INTO mirpipe.run (trigger, state_digest, library)
    VALUES ('benchmark', '', '{}') RETURNING run_id
""")


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement.

    The measurement takes minutes, mostly for creating the library.
    """
    random = np.random.default_rng(0)
    centres = random.standard_normal((500, DIMENSION))
    with temporary_server():
        encoder_id = register_encoder(DIMENSION)
        add_tracks(encoder_id, "target", clustered_vectors(random, centres, TARGETS))
        for _ in range(0, REFERENCES, 10_000):
            add_tracks(encoder_id, "reference", clustered_vectors(random, centres, 10_000))
        with engine("app").begin() as connection:
            connection.execute(_LABELS)
            connection.execute(_ACTIVATE, {"encoder_id": encoder_id})
            run_id = connection.execute(_RUN).scalar_one()
            started = time.process_time()
            seconds = measure_seconds(lambda: insert_ranking_results(connection, run_id))
            cpu_seconds = time.process_time() - started
    size = f"{TARGETS:,} targets and 1,000 references × {REFERENCES:,} references × {DIMENSION}"
    name = f"rankings of a run by cosine and by CSLS, one encoder, {size}"
    return [(name, seconds, "s"), (name, cpu_seconds, "CPU-s")]

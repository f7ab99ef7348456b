"""Helpers that write ranking results and an earlier run for the example library."""

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import embeddings
from mirpipe.stages.report.clip_set_distances import insert_set_distances
from mirpipe.stages.report.ranking_quality import insert_ranking_results
from tests.dashboard.example_clips import unit_vector


def write_rankings(connection: Connection) -> None:
    """Write vectors and genres for references, and add ranking results to the last run."""
    connection.execute(
        text(
            'UPDATE mirpipe.track SET labels = \'{"genre": "<i>jazz</i>"}\' '
            "WHERE collection = 'reference' AND track_id % 2 = 0"
        )
    )
    references = connection.execute(
        text("SELECT track_id FROM mirpipe.track WHERE collection = 'reference' ORDER BY 1")
    ).scalars()
    rng = np.random.default_rng(1)
    vectors = {track_id: unit_vector(rng) for track_id in references}
    for encoder_id in connection.execute(
        text("SELECT encoder_id FROM mirpipe.serving_revision ORDER BY encoder_id")
    ).scalars():
        embeddings.write(connection, encoder_id, vectors, device="cpu", versions={}, seconds=1.0)
    run_id = connection.execute(text("SELECT max(run_id) FROM mirpipe.run")).scalar_one()
    insert_ranking_results(connection, run_id)
    insert_set_distances(connection, run_id)


def write_earlier_run(connection: Connection) -> None:
    """Write run 0, which has a smaller library, other summaries and other best matches."""
    connection.execute(
        text(
            "INSERT INTO mirpipe.run (run_id, finished_at, trigger, state_digest, library) "
            "OVERRIDING SYSTEM VALUE SELECT 0, finished_at - interval '1 day', 'made up', '0', "
            '\'{"reference ok": 3, "target ok": 3}\' FROM mirpipe.run ORDER BY run_id LIMIT 1'
        )
    )
    for table in ("run_summary", "run_generation_summary"):
        connection.execute(
            text(
                f"INSERT INTO mirpipe.{table} "
                "SELECT (jsonb_populate_record(s, jsonb_build_object("
                "'run_id', 0, 'mean', 0.9 * s.mean, 'low', 0.8 * s.low))).* "
                f"FROM mirpipe.{table} s"
            )
        )
    connection.execute(
        text(
            "INSERT INTO mirpipe.served_neighbour "
            "(encoder_id, target_id, rank, counted_rank, reference_id, cosine, from_run, to_run) "
            "SELECT encoder_id, target_id, 1, 1, reference_id, 0.5, 0, 1 "
            "FROM mirpipe.served_neighbour WHERE rank = 2"
        )
    )

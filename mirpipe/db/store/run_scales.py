"""Stores a run's scales: mean and standard deviation for z, and cosines for percentiles."""

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.db.store.cosine_moments import TargetCosines
from mirpipe.records import Float64

_INSERT_ENCODER = text("""
    INSERT INTO mirpipe.run_encoder
        (run_id, encoder_id, references_n, targets_n, background_pairs, background_cosines)
    VALUES (:run_id, :encoder_id, :references_n, :targets_n, :pairs, :cosines)
""")


def insert_scales(
    connection: Connection,
    run_id: int,
    encoder_id: int,
    *,
    targets: TargetCosines,
    percentile_cosines: Float64,
    pairs: int,
) -> None:
    """Store the z scale and the percentile scale of one encoder.

    `percentile_cosines` contains the ascending cosines of the percentile scale, shape (n,), which
    were computed from `pairs` reference pairs. No z scale is stored if there are fewer than two
    references, because one reference has no spread.
    """
    connection.execute(
        _INSERT_ENCODER,
        {
            "run_id": run_id,
            "encoder_id": encoder_id,
            "references_n": targets.n,
            "targets_n": len(targets.target_ids),
            "pairs": pairs,
            "cosines": percentile_cosines.tolist(),
        },
    )
    n = len(targets.target_ids) if targets.n >= 2 else 0
    binary_copy.copy_rows(
        connection,
        "mirpipe.run_target",
        [
            "run_id",
            "encoder_id",
            "target_id",
            "background_n",
            "background_mean",
            "background_sd",
        ],
        [
            [run_id] * n,
            [encoder_id] * n,
            targets.target_ids[:n],
            np.full(n, targets.n),
            targets.mean[:n],
            targets.sd[:n],
        ],
    )

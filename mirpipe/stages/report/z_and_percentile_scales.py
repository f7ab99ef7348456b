"""The scales of a run: of z, a target's cosines to every reference, and of percentile."""

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import cosine_moments, runs

BACKGROUND_QUANTILES = 1001
"""Resolution of percentile: a tenth of a percent."""


def insert_background(connection: Connection, run_id: int, encoder_id: int) -> None:
    """Stores both scales of one encoder; one reference alone gives none of z."""
    spread = cosine_moments.background(connection, encoder_id)
    sample = cosine_moments.reference_pairs(connection, encoder_id)
    scale = sample
    if len(sample) > BACKGROUND_QUANTILES:
        scale = np.quantile(sample, np.linspace(0, 1, BACKGROUND_QUANTILES))
    measured = len(spread.target_ids) if spread.n >= 2 else 0  # one reference has no spread
    runs.insert_background(
        connection,
        run_id,
        encoder_id,
        counts={
            "references_n": spread.n,
            "targets_n": len(spread.target_ids),
            "pairs": len(sample),
        },
        cosines=scale,
        targets={
            "target_id": spread.target_ids[:measured],
            "background_n": np.full(measured, spread.n),
            "background_mean": spread.mean[:measured],
            "background_sd": spread.sd[:measured],
        },
    )

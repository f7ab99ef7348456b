"""Computes the scales of a run, which convert a cosine to a z-score or to a percentile.

The z scale is the mean and standard deviation of a target's cosine similarities with all
references. The percentile scale is the distribution of the cosine similarities between references.
"""

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import cosine_moments
from mirpipe.db.store.reference_pair_cosines import reference_pair_cosines
from mirpipe.db.store.run_scales import insert_scales

PERCENTILE_STEPS = 1001
"""Number of quantiles on the percentile scale: one per 0.1%."""


def insert_scales_of_encoder(connection: Connection, run_id: int, encoder_id: int) -> None:
    """Compute and store one encoder's z scale and percentile scale."""
    cosines = reference_pair_cosines(connection, encoder_id)
    scale = cosines
    if len(cosines) > PERCENTILE_STEPS:
        scale = np.quantile(cosines, np.linspace(0, 1, PERCENTILE_STEPS))
    insert_scales(
        connection,
        run_id,
        encoder_id,
        targets=cosine_moments.read_target_cosines(connection, encoder_id),
        percentile_cosines=scale,
        pairs=len(cosines),
    )

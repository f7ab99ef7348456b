"""Computes the scales of a run, from which z and percentile of a cosine are read.

The scale of z is the mean and standard deviation of a target's cosines with all references. The
scale of percentiles is the distribution of the cosines of pairs of references.
"""

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import cosine_moments
from mirpipe.db.store.reference_pair_cosines import reference_pair_cosines
from mirpipe.db.store.run_scales import insert_scales

PERCENTILE_STEPS = 1001
"""Number of quantiles on the scale of percentiles: one per 0.1 %."""


def insert_scales_of_encoder(connection: Connection, run_id: int, encoder_id: int) -> None:
    """Compute and store both scales of one encoder."""
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

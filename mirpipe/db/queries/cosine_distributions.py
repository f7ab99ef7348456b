"""How cosines and z are distributed in the latest run, as histograms for each encoder."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.settings import settings

BINS = 40


@dataclass(frozen=True)
class HistogramBin:
    """One bin of the histogram of a quantity, for one encoder. Empty bins are left out."""

    encoder: str
    quantity: str
    """`cosine`: cosines of reference pairs. `z`: z of the best match of each target."""
    low: float
    """Lower edge of the bin."""
    high: float
    """Upper edge of the bin."""
    share: float
    """Share of the values that are in the bin."""
    n: int
    """Number of values in all bins: quantiles of the cosines, or targets."""


# run_encoder stores quantiles of the cosines, so each of them stands for equally many pairs.
_BINS = text("""
    WITH latest AS (SELECT max(run_id) AS run_id FROM mirpipe.run),
    value AS (
        SELECT g.encoder_id, 'cosine' AS quantity, unnest(g.background_cosines) AS value
        FROM mirpipe.run_encoder g JOIN latest USING (run_id)
        UNION ALL
        SELECT s.encoder_id, 'z', (s.cosine - b.background_mean) / nullif(b.background_sd, 0)
        FROM mirpipe.served_neighbour s
        JOIN mirpipe.run_target b ON b.run_id = (SELECT run_id FROM latest)
            AND (b.encoder_id, b.target_id) = (s.encoder_id, s.target_id)
        WHERE s.to_run IS NULL AND s.counted_rank = 1
    ),
    bounds AS (
        SELECT encoder_id, quantity, min(value) AS low, max(value) AS high, count(value) AS n
        FROM value GROUP BY encoder_id, quantity HAVING min(value) < max(value)
    ),
    bin AS (
        SELECT encoder_id, quantity, b.low, (b.high - b.low) / :bins AS width, b.n,
            least(width_bucket(v.value, b.low, b.high, :bins), :bins) AS number,
            count(*) AS values
        FROM value v JOIN bounds b USING (encoder_id, quantity) WHERE v.value IS NOT NULL
        GROUP BY encoder_id, quantity, b.low, b.high, b.n, number
    )
    SELECT e.name AS encoder, b.quantity, b.low + (b.number - 1) * b.width AS low,
        b.low + b.number * b.width AS high, CAST(b.values AS double precision) / b.n AS share, b.n
    FROM bin b JOIN mirpipe.encoder e USING (encoder_id)
    ORDER BY array_position(CAST(:encoder_order AS text[]), e.name), e.name, b.quantity, b.number
""")


def cosine_distributions() -> list[HistogramBin]:
    """Return the histograms of the latest run, by encoder and quantity, lowest bin first.

    There is no histogram if all values are equal.
    """
    return read_rows(HistogramBin, _BINS, bins=BINS, encoder_order=settings().encoders)

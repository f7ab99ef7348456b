"""Mean similarity of matches at each rank, by encoder, without the same recordings."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.records import Float64
from mirpipe.settings import settings


@dataclass(frozen=True)
class RankSimilarity:
    """Mean similarity of all matches with one rank by one encoder."""

    encoder: str
    rank: int
    """Rank among the matches that count, without the same recordings."""
    n: int
    """Number of matches with this rank."""
    cosine: float
    """Mean cosine. Cosines from different encoders are not comparable."""
    z: float | None
    """Mean z, in standard deviations. None if no target has a z."""
    percentile: float | None
    """Mean percentile, in percent. None if there is only one reference."""


@dataclass(frozen=True)
class _RankRow:
    encoder: str
    rank: int
    cosines: list[float]
    cosine: float
    z: float | None


@dataclass(frozen=True)
class _PercentileScale:
    encoder: str
    cosines: list[float]


# The view v_retrieval is not used because it is slower: it expands an encoder's percentile scale
# for every match.
_MATCHES_BY_RANK = text("""
    SELECT e.name AS encoder, s.counted_rank AS rank, array_agg(s.cosine) AS cosines,
        avg(s.cosine) AS cosine,
        avg((s.cosine - b.background_mean) / nullif(b.background_sd, 0)) AS z
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.encoder e USING (encoder_id)
    LEFT JOIN mirpipe.run_target b ON b.run_id = (SELECT max(run_id) FROM mirpipe.run)
        AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
    WHERE s.to_run IS NULL AND s.counted_rank IS NOT NULL
    GROUP BY e.name, s.counted_rank
    ORDER BY array_position(CAST(:encoder_order AS text[]), e.name), e.name, s.counted_rank
""")
_PERCENTILE_SCALES = text("""
    SELECT e.name AS encoder, g.background_cosines AS cosines
    FROM mirpipe.run_encoder g JOIN mirpipe.encoder e USING (encoder_id)
    WHERE g.run_id = (SELECT max(run_id) FROM mirpipe.run)
""")


def similarity_by_rank() -> list[RankSimilarity]:
    """Return the mean similarity of the latest run's matches, sorted by encoder and rank."""
    scale_rows = read_rows(_PercentileScale, _PERCENTILE_SCALES)
    scales = {row.encoder: np.array(row.cosines) for row in scale_rows}
    rows = read_rows(_RankRow, _MATCHES_BY_RANK, encoder_order=settings().encoders)
    return [
        RankSimilarity(
            row.encoder,
            row.rank,
            len(row.cosines),
            row.cosine,
            row.z,
            _mean_percentile(row.cosines, scales.get(row.encoder)),
        )
        for row in rows
    ]


def _mean_percentile(cosines: list[float], scale: Float64 | None) -> float | None:
    """Return the mean percentile of the cosines, 0 to 100.

    `scale` contains the sorted cosines of reference pairs.
    """
    if scale is None or not len(scale):
        return None
    return float(100 * np.searchsorted(scale, cosines, side="right").mean() / len(scale))

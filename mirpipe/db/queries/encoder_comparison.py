"""How good the answers of the latest run are: encoders compared, by rank, and target by target."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows
from mirpipe.records import Float64
from mirpipe.settings import settings


@dataclass(frozen=True)
class Comparison:
    """Two encoders' first answers compared over the targets that both have a number for.

    `mean_difference` is the first encoder less the other, `low` and `high` its 95 % interval over
    targets, `p_holm` of a sign-flip test, corrected for all comparisons; `established`: below 0.05.
    """

    encoder: str
    than_encoder: str
    metric: str
    n: int
    mean_difference: float | None
    low: float | None
    high: float | None
    higher_n: int
    p_holm: float | None
    established: bool
    random: bool


@dataclass(frozen=True)
class Depth:
    """Means over all answers of one rank; what depends on an encoder's space is not comparable."""

    encoder: str
    rank: int
    n: int
    cosine: float
    z: float | None
    percentile: float | None


@dataclass(frozen=True)
class TargetMatch:
    """A target's first answer by an encoder, with every number of the pair and of the answer."""

    target_id: int
    target: str
    encoder: str
    reference_id: int
    reference: str
    cosine: float
    z: float | None
    percentile: float | None
    clap_similarity: float | None
    melody_accuracy: float | None
    melodic: bool | None
    melody_corrected: float | None
    aligned_melody: float | None
    ce: float | None
    cu: float | None
    pc: float | None
    pq: float | None


@dataclass(frozen=True)
class _Rank:
    encoder: str
    rank: int
    cosines: list[float]
    cosine: float
    z: float | None


@dataclass(frozen=True)
class _Scale:
    encoder: str
    cosines: list[float]


_COMPARISONS = text("""
    SELECT encoder, than_encoder, metric, n, mean_difference, low, high, higher_n, p_holm,
        established, random
    FROM mirpipe.v_retrieval_comparison WHERE source = 'library'
    ORDER BY metric, encoder, than_encoder
""")
# Not from v_retrieval, which unpacks an encoder's whole scale for each answer's percentile.
_RANKS = text("""
    SELECT e.name AS encoder, s.rank, array_agg(s.cosine) AS cosines, avg(s.cosine) AS cosine,
        avg((s.cosine - b.background_mean) / nullif(b.background_sd, 0)) AS z
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.encoder e USING (encoder_id)
    LEFT JOIN mirpipe.run_target b ON b.run_id = (SELECT max(run_id) FROM mirpipe.run)
        AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
    WHERE s.to_run IS NULL
    GROUP BY e.name, s.rank
    ORDER BY array_position(CAST(:shown AS text[]), e.name), e.name, s.rank
""")
_SCALES = text("""
    SELECT e.name AS encoder, g.background_cosines AS cosines
    FROM mirpipe.run_encoder g JOIN mirpipe.encoder e USING (encoder_id)
    WHERE g.run_id = (SELECT max(run_id) FROM mirpipe.run)
""")
_TARGETS = text("""
    WITH axis AS (
        SELECT metric_id, name FROM mirpipe.shown_metric WHERE spec ->> 'axis' IS NOT NULL)
    SELECT r.target_id, r.target, r.encoder, r.reference_id, r.reference, r.cosine, r.z,
        r.percentile, r.clap_similarity, r.melody_accuracy, r.melodic, r.melody_corrected,
        r.aligned_melody, a.ce, a.cu, a.pc, a.pq
    FROM mirpipe.v_retrieval r
    CROSS JOIN LATERAL (
        SELECT max(s.value) FILTER (WHERE x.name = 'aesthetics_ce') AS ce,
            max(s.value) FILTER (WHERE x.name = 'aesthetics_cu') AS cu,
            max(s.value) FILTER (WHERE x.name = 'aesthetics_pc') AS pc,
            max(s.value) FILTER (WHERE x.name = 'aesthetics_pq') AS pq
        FROM axis x JOIN mirpipe.track_score s
            ON s.metric_id = x.metric_id AND s.track_id = r.reference_id) a
    WHERE r.rank = 1
    ORDER BY r.target, r.target_id, array_position(CAST(:shown AS text[]), r.encoder), r.encoder
""")


def comparisons() -> list[Comparison]:
    """Every pair of encoders by every metric that can be compared between them."""
    return rows(Comparison, _COMPARISONS)


def depths() -> list[Depth]:
    """How near the answers are by encoder and rank."""
    scales = {scale.encoder: np.array(scale.cosines) for scale in rows(_Scale, _SCALES)}
    return [
        Depth(
            row.encoder,
            row.rank,
            len(row.cosines),
            row.cosine,
            row.z,
            _percentile(row.cosines, scales.get(row.encoder)),
        )
        for row in rows(_Rank, _RANKS, shown=settings().encoders)
    ]


def target_matches() -> list[TargetMatch]:
    """Every target's first answer by each encoder, by target."""
    return rows(TargetMatch, _TARGETS, shown=settings().encoders)


def _percentile(cosines: list[float], scale: Float64 | None) -> float | None:
    """The mean share, in percent, of the scale that is lower or equal."""
    if scale is None or not len(scale):
        return None
    return float(100 * np.searchsorted(scale, cosines, side="right").mean() / len(scale))

"""How similar the best matches of some targets are, without the scores of the pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class BestMatchSimilarity:
    """The similarity of one target's best match by one encoder."""

    target_id: int
    target: str
    """Title of the target."""
    encoder: str
    reference_id: int
    reference: str
    """Title of the match."""
    cosine: float
    """Cosine in the encoder's own space. Cosines from different encoders are not comparable."""
    z: float | None
    """Number of standard deviations above the target's mean cosine to all references."""
    percentile: float | None
    """Percentage of reference pairs whose cosine is not higher."""


_SIMILARITIES = text("""
    SELECT s.target_id, t.title AS target, e.name AS encoder, s.reference_id,
        r.title AS reference, s.cosine,
        (s.cosine - b.background_mean) / nullif(b.background_sd, 0) AS z,
        100.0::double precision * width_bucket(s.cosine, g.background_cosines)
            / nullif(cardinality(g.background_cosines), 0) AS percentile
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.encoder e USING (encoder_id)
    JOIN mirpipe.track t ON t.track_id = s.target_id
    JOIN mirpipe.track r ON r.track_id = s.reference_id
    CROSS JOIN (SELECT max(run_id) AS run_id FROM mirpipe.run) latest
    LEFT JOIN mirpipe.run_target b
        ON (b.run_id, b.encoder_id, b.target_id) = (latest.run_id, s.encoder_id, s.target_id)
    LEFT JOIN mirpipe.run_encoder g
        ON (g.run_id, g.encoder_id) = (latest.run_id, s.encoder_id)
    WHERE s.to_run IS NULL AND s.counted_rank = 1 AND e.name = ANY(:encoders)
        AND s.target_id = ANY(:target_ids)
    ORDER BY t.title, s.target_id, e.name
""")


def best_match_similarities(
    target_ids: Sequence[int], encoders: Sequence[str]
) -> list[BestMatchSimilarity]:
    """Return the best matches that count, of these targets and encoders, sorted by target."""
    rows = read_rows(
        BestMatchSimilarity,
        _SIMILARITIES,
        target_ids=list(target_ids),
        encoders=list(encoders),
    )
    return with_distinct_titles(rows, reference="reference_id", target="target_id")

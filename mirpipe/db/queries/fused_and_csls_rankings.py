"""Two alternative rankings of a target's references: by all encoders together, and by CSLS."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class RerankedMatch:
    """A reference among a target's first ten matches by cosine, by CSLS, or by both."""

    encoder: str
    target: str
    """Title of the target."""
    reference: str
    """Title of the reference."""
    cosine_rank: int
    """Rank by cosine. Above 10 if the reference is only among the first ten matches by CSLS."""
    cosine: float
    """Cosine in the encoder's own space."""
    csls_rank: int | None
    """Rank by CSLS. None if the reference is not among the first ten by CSLS."""
    csls: float | None
    """CSLS value. None if the reference is not among the first ten by CSLS."""
    target_id: int
    reference_id: int
    licence_weights: str
    """Licence of the encoder's weights."""
    random: bool
    """Whether the encoder has random weights."""
    relation: str | None = None
    """same_recording or same_file if the reference is that of its target, otherwise None."""


@dataclass(frozen=True)
class FusedMatch:
    """A reference among a target's first ten matches by reciprocal rank fusion of all encoders."""

    rank: int
    """Rank by fusion. Rank 1 is the best."""
    target: str
    """Title of the target."""
    reference: str
    """Title of the reference."""
    score: float
    """Sum of 1 / (60 + rank) over the encoders that have a vector of the reference."""
    encoders: list[str]
    """Names of the encoders that were fused. Encoders with random weights are left out."""
    target_id: int
    reference_id: int
    licence_weights: str
    """Licences of the encoders' weights."""
    relation: str | None = None
    """same_recording or same_file if the reference is that of its target, otherwise None."""


_RERANKED_MATCHES = text("""
    SELECT encoder, target, reference, cosine_rank, cosine, csls_rank, csls, target_id,
        reference_id, licence_weights, random, relation
    FROM mirpipe.v_reranked WHERE CAST(:target_id AS bigint) IS NULL OR target_id = :target_id
    ORDER BY target, target_id, encoder, cosine_rank
""")
_FUSED_MATCHES = text("""
    SELECT rank, target, reference, score, encoders, target_id, reference_id, licence_weights,
        relation
    FROM mirpipe.v_fusion WHERE CAST(:target_id AS bigint) IS NULL OR target_id = :target_id
    ORDER BY target, target_id, rank
""")


def reranked_matches(target_id: int | None = None) -> list[RerankedMatch]:
    """Return the matches by cosine and by CSLS, for one target or for all targets."""
    rows = read_rows(RerankedMatch, _RERANKED_MATCHES, target_id=target_id)
    return with_distinct_titles(rows, reference="reference_id", target="target_id")


def fused_matches(target_id: int | None = None) -> list[FusedMatch]:
    """Return the matches by all encoders together, for one target or for all targets."""
    rows = read_rows(FusedMatch, _FUSED_MATCHES, target_id=target_id)
    return with_distinct_titles(rows, reference="reference_id", target="target_id")

"""How good the rankings of the latest run are, who its hubs are, and what other rankings answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows


@dataclass(frozen=True)
class Ranking:
    """Mean of a measure over the queries whose label some reference shares, with its interval.

    `metric` is p_at_1, p_at_5, p_at_10, mrr or map, 0 to 1; `rerank` is cosine, csls or, where
    `encoder` is "fusion", fusion. `low` and `high` are None below two queries.
    """

    encoder: str
    queries: str
    label: str
    metric: str
    rerank: str
    n: int
    left_out_n: int
    mean: float | None
    low: float | None
    high: float | None
    licence_weights: str
    random: bool
    run_id: int
    finished_at: datetime


@dataclass(frozen=True)
class Hubness:
    """How unevenly references are retrieved among the first `k` answers of `n` queries.

    `skewness` is None where all are retrieved as often.
    """

    encoder: str
    queries: str
    rerank: str
    k: int
    skewness: float | None
    largest: int
    largest_reference: str
    never_retrieved_share: float
    n: int
    references_n: int
    licence_weights: str
    random: bool
    run_id: int
    finished_at: datetime


@dataclass(frozen=True)
class Hub:
    """One of the references that are retrieved most; `share` is of all `n` queries."""

    encoder: str
    queries: str
    rerank: str
    k: int
    rank: int
    reference: str
    reference_id: int
    retrieved_n: int
    share: float
    n: int
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class Agreement:
    """How far two encoders give the same answers, over `n` targets; each two both ways round."""

    encoder: str
    other: str
    rbo: float
    top1: float
    n: int
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class CslsAgreement:
    """How far re-ranking by CSLS gives what ranking every reference by CSLS would.

    Where neighbourhoods were looked for among `base_n` references only, the last three say how far
    that gives the answers of looking among all; else they are None.
    """

    encoder: str
    top1_equal: float
    top10_overlap: float
    targets_n: int
    references_n: int
    is_sample: bool
    kept: int
    base_n: int
    base_targets_n: int | None
    base_top1_equal: float | None
    base_top10_overlap: float | None
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class RerankedMatch:
    """A reference that is among the first ten by cosine or by CSLS, or both.

    `csls_rank` and `csls` are None where it is not among the first ten by CSLS.
    """

    encoder: str
    target: str
    reference: str
    cosine_rank: int
    cosine: float
    csls_rank: int | None
    csls: float | None
    target_id: int
    reference_id: int
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class FusedMatch:
    """One of a target's first ten references by all encoders together."""

    rank: int
    target: str
    reference: str
    score: float
    encoders: list[str]
    target_id: int
    reference_id: int
    licence_weights: str


_RANKING = """
    SELECT encoder, queries, label, metric, rerank, n, left_out_n, mean, low, high,
        licence_weights, random, run_id, finished_at
    FROM mirpipe.{0} ORDER BY run_id, queries DESC, label, encoder = 'fusion', encoder, rerank,
        array_position(ARRAY['p_at_1', 'p_at_5', 'p_at_10', 'mrr', 'map'], metric)
"""
_HUBNESS = """
    SELECT encoder, queries, rerank, k, skewness, largest, largest_reference,
        never_retrieved_share, n, references_n, licence_weights, random, run_id, finished_at
    FROM mirpipe.{0} ORDER BY run_id, queries DESC, encoder, k, rerank
"""
_HUBS = text("""
    SELECT encoder, queries, rerank, k, rank, reference, reference_id, retrieved_n, share, n,
        licence_weights, random
    FROM mirpipe.v_hubs ORDER BY queries DESC, encoder, k, rerank, rank
""")
_AGREEMENT = text("""
    SELECT encoder, other, rbo, top1, n, licence_weights, random
    FROM mirpipe.v_agreement ORDER BY encoder, other
""")
_CSLS = text("""
    SELECT encoder, top1_equal, top10_overlap, targets_n, references_n, is_sample, kept, base_n,
        base_targets_n, base_top1_equal, base_top10_overlap, licence_weights, random
    FROM mirpipe.v_csls ORDER BY encoder
""")
_RERANKED = text("""
    SELECT encoder, target, reference, cosine_rank, cosine, csls_rank, csls, target_id,
        reference_id, licence_weights, random
    FROM mirpipe.v_reranked WHERE CAST(:target_id AS bigint) IS NULL OR target_id = :target_id
    ORDER BY target, target_id, encoder, cosine_rank
""")
_FUSION = text("""
    SELECT rank, target, reference, score, encoders, target_id, reference_id, licence_weights
    FROM mirpipe.v_fusion WHERE CAST(:target_id AS bigint) IS NULL OR target_id = :target_id
    ORDER BY target, target_id, rank
""")


def rankings(*, history: bool = False) -> list[Ranking]:
    """Measures of the latest run, or of every run, the oldest first."""
    view = "v_ranking_history" if history else "v_ranking"
    return rows(Ranking, text(_RANKING.format(view)))


def hubness(*, history: bool = False) -> list[Hubness]:
    """Hubness in the latest run, or in every run, the oldest first."""
    view = "v_hubness_history" if history else "v_hubness"
    return rows(Hubness, text(_HUBNESS.format(view)))


def hubs() -> list[Hub]:
    """The references that are retrieved most in the latest run, most first."""
    return rows(Hub, _HUBS)


def agreements() -> list[Agreement]:
    """How far each two encoders agree in the latest run."""
    return rows(Agreement, _AGREEMENT)


def csls_agreements() -> list[CslsAgreement]:
    """How CSLS was computed in the latest run, by encoder."""
    return rows(CslsAgreement, _CSLS)


def reranked_matches(target_id: int | None = None) -> list[RerankedMatch]:
    """Answers by cosine and by CSLS side by side, of one target or of all."""
    return rows(RerankedMatch, _RERANKED, target_id=target_id)


def fused_matches(target_id: int | None = None) -> list[FusedMatch]:
    """Answers by all encoders together, of one target or of all."""
    return rows(FusedMatch, _FUSION, target_id=target_id)

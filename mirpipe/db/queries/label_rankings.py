"""Ranking metrics by label: P@k, MRR and mAP of each encoder."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class LabelRanking:
    """Mean of one ranking metric over the queries.

    References with the same label as the query are relevant. All means range from 0 to 1. Higher is
    better.
    """

    encoder: str
    """Name of the encoder, or "fusion" for all encoders together."""
    queries: str
    """Kind of queries: targets or references."""
    label: str
    """Label that makes a reference relevant: genre, instrument or work."""
    metric: str
    """Ranking metric: p_at_1, p_at_5, p_at_10, mrr or map."""
    rerank: str
    """Ranking method: cosine, csls or fusion."""
    n: int
    """Number of queries in the mean."""
    left_out_n: int
    """Number of queries that are left out, because they have no label or no relevant reference."""
    mean: float | None
    """Mean over the queries. None if there are no queries."""
    low: float | None
    """Lower end of the mean's 95% interval over queries. None if there is none."""
    high: float | None
    """Upper end of the mean's 95% interval over queries. None if there is none."""
    licence_weights: str
    """Licences of the encoders' weights."""
    random: bool
    """Whether the encoder has random weights."""
    run_id: int
    finished_at: datetime
    """Time at which the run was published, with its time zone."""
    filter: str = "none"
    """References that are left out besides the same recordings: none, album or artist."""
    filtered_n: int | None = None
    """Number of queries in the mean with an album or an artist. None without a filter."""
    same_recording_n: int = 0
    """Number of same recordings that are left out of the rankings of all queries together."""


_LABEL_RANKINGS = """
    SELECT encoder, queries, label, metric, rerank, n, left_out_n, mean, low, high,
        licence_weights, random, run_id, finished_at, filter, filtered_n, same_recording_n
    FROM mirpipe.{view} WHERE (filter <> 'none') = :is_filtered
    ORDER BY run_id, filter, queries DESC, label, encoder = 'fusion', encoder, rerank,
        array_position(ARRAY['p_at_1', 'p_at_5', 'p_at_10', 'mrr', 'map'], metric)
"""


def label_rankings(*, history: bool = False) -> list[LabelRanking]:
    """Return the ranking metrics of the latest run, or of every run, oldest first.

    No filter is used: of all references, only the same recordings are left out.
    """
    view = "v_ranking_history" if history else "v_ranking"
    return read_rows(LabelRanking, text(_LABEL_RANKINGS.format(view=view)), is_filtered=False)


def filtered_label_rankings() -> list[LabelRanking]:
    """Return the ranking metrics of the latest run with the album filter and the artist filter."""
    query = text(_LABEL_RANKINGS.format(view="v_ranking"))
    return read_rows(LabelRanking, query, is_filtered=True)

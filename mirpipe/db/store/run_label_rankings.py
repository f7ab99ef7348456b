"""Stores how well the rankings of a run agree with labels: P@k, MRR and mAP."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store.run_rows import insert_run_rows


@dataclass(frozen=True)
class RankingRow:
    """A row of the table `run_ranking`: the mean of one ranking metric over a query set."""

    encoder_id: int | None
    """Id of the encoder. None for the fusion of all encoders."""
    queries: str
    """Name of the query set: `targets` or `references`."""
    label: str
    """Label that defines relevance, such as `genre`."""
    metric: str
    """Name of the metric: `p_at_1`, `p_at_5`, `p_at_10`, `mrr` or `map`."""
    rerank: str
    """Ranking method: `cosine`, `csls` or `fusion`."""
    n: int
    """Number of queries that have a relevant reference."""
    left_out_n: int
    """Number of queries without a relevant reference, which are not counted."""
    mean: float | None
    """Mean over the counted queries, 0 … 1."""
    low: float | None
    """Lower end of the confidence interval. None if there is a reason."""
    high: float | None
    """Upper end of the confidence interval. None if there is a reason."""
    interval_reason: str | None
    """Code of the reason why there is no interval."""
    filter: str = "none"
    """References that are left out besides the same recordings: `none`, `album` or `artist`."""
    filtered_n: int | None = None
    """Number of counted queries with the filter's tag. None without a filter."""
    same_recording_n: int = 0
    """Number of same recordings that are left out of the rankings of all queries together."""


def insert_rankings(connection: Connection, run_id: int, rows: Sequence[RankingRow]) -> None:
    """Store how well the rankings of a run agree with labels."""
    insert_run_rows(connection, "run_ranking", run_id, rows)

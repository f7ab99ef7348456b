"""Rows of run_ranking: the mean of every measure over the queries that a label can be held to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mirpipe.db.store.run_rankings import Ranking
from mirpipe.records import Float64
from mirpipe.statistics.bootstrap_intervals import intervals
from mirpipe.statistics.label_relevance_metrics import (
    Relevance,
    average_precision,
    precision_at,
    reciprocal_rank,
)

DEPTHS = (1, 5, 10)
"""First answers that count."""


@dataclass(frozen=True)
class Judged:
    """A ranking of a set of queries, and how relevant it is by each label."""

    queries: str
    rerank: str
    relevance: Mapping[str, Relevance]


def label_rows(
    encoder_id: int | None, rankings: Sequence[Judged], *, full: bool = True
) -> Iterator[Ranking]:
    """A row a ranking, label and measure; without `full`, of the first answers alone."""
    measured = [
        (one, label, metric, found, values[found.measured])
        for one in rankings
        for label, found in one.relevance.items()
        for metric, values in _measures(found, full=full).items()
    ]
    bounds = intervals([column for *_, column in measured])
    for (one, label, metric, found, column), (low, high) in zip(measured, bounds, strict=True):
        n = len(column)
        yield Ranking(
            encoder_id,
            one.queries,
            label,
            metric,
            one.rerank,
            n,
            len(found.measured) - n,
            float(column.mean()) if n else None,
            float(low) if n > 1 else None,
            float(high) if n > 1 else None,
        )


def _measures(found: Relevance, *, full: bool) -> dict[str, Float64]:
    first = {f"p_at_{k}": precision_at(found, k) for k in DEPTHS}
    if not full:
        return first
    return first | {"mrr": reciprocal_rank(found), "map": average_precision(found)}

"""Rows of run_ranking: the mean of every measure over the queries that a label can be held to."""

from collections.abc import Iterator, Mapping

from mirpipe.db.store.rankings import Ranking
from mirpipe.statistics.bootstrap import intervals
from mirpipe.statistics.relevance import (
    Relevance,
    average_precision,
    precision_at,
    reciprocal_rank,
)

DEPTHS = (1, 5, 10)
"""First answers that count."""


def label_rows(
    encoder_id: int | None,
    queries: str,
    rerank: str,
    relevance: Mapping[str, Relevance],
    *,
    full: bool = True,
) -> Iterator[Ranking]:
    """A row a label and measure; without `full`, of the first answers alone."""
    for label, found in relevance.items():
        values = {f"p_at_{k}": precision_at(found, k) for k in DEPTHS}
        if full:
            values |= {"mrr": reciprocal_rank(found), "map": average_precision(found)}
        columns = [value[found.measured] for value in values.values()]
        n = len(columns[0])
        for metric, column, (low, high) in zip(values, columns, intervals(columns), strict=True):
            yield Ranking(
                encoder_id,
                queries,
                label,
                metric,
                rerank,
                n,
                len(found.measured) - n,
                float(column.mean()) if n else None,
                float(low) if n > 1 else None,
                float(high) if n > 1 else None,
            )

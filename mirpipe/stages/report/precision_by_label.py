"""Computes P@k, MRR and mAP of rankings by label, with confidence intervals."""

from collections.abc import Iterator, Sequence

import numpy as np

from mirpipe.db.store.run_label_rankings import RankingRow
from mirpipe.records import Float64
from mirpipe.stages.report.labelled_ranking import LabelledRanking
from mirpipe.statistics.label_relevance import Relevance
from mirpipe.statistics.mean_intervals import intervals, missing_reason, wilson_intervals
from mirpipe.statistics.precision_mrr_map import (
    average_precision,
    precision_at_k,
    reciprocal_rank,
)

DEPTHS = (1, 5, 10)
"""Values of k. P@k and hubness are computed from the first k matches of each query."""


def precision_rows(
    encoder_id: int | None, rankings: Sequence[LabelledRanking]
) -> Iterator[RankingRow]:
    """Yield one row per ranking, label and measure: P@k, MRR and mAP.

    Queries without a relevant reference do not count. There are no rows for a filter that applies
    to none of the queries. `encoder_id` is None for fusion.
    """
    measured = [
        (ranking, label, metric, relevance, values[relevance.has_relevant])
        for ranking in rankings
        if ranking.found.is_filtered is None or ranking.found.is_filtered.any()
        for label, relevance in ranking.found.relevance.items()
        for metric, values in _measures(relevance).items()
    ]
    bounds = _bounds([(metric, values) for *_, metric, _, values in measured])
    for (ranking, label, metric, relevance, values), (low, high) in zip(
        measured, bounds, strict=True
    ):
        n = len(values)
        is_filtered = ranking.found.is_filtered
        yield RankingRow(
            encoder_id,
            ranking.queries,
            label,
            metric,
            ranking.rerank,
            n,
            len(relevance.has_relevant) - n,
            float(values.mean()) if n else None,
            None if np.isnan(low) else float(low),
            None if np.isnan(high) else float(high),
            missing_reason(n, float(low), unit="query"),
            ranking.found.filter,
            None if is_filtered is None else int((is_filtered & relevance.has_relevant).sum()),
            ranking.found.same_recording_n,
        )


def _bounds(measured: Sequence[tuple[str, Float64]]) -> Float64:
    """Return the interval of each metric's mean, shape (metrics, 2). All metrics are 0 … 1.

    P@1 is a share of hits, so it has Wilson's interval.
    """
    bounds = intervals([values for _, values in measured], ranges=[(0, 1)] * len(measured))
    hits = [index for index, (metric, _) in enumerate(measured) if metric == "p_at_1"]
    bounds[hits] = wilson_intervals([measured[index][1] for index in hits])
    return bounds


def _measures(relevance: Relevance) -> dict[str, Float64]:
    """Return one value per query for each measure, shape (n,)."""
    precisions = {f"p_at_{k}": precision_at_k(relevance, k) for k in DEPTHS}
    return precisions | {"mrr": reciprocal_rank(relevance), "map": average_precision(relevance)}

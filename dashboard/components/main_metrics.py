"""Which metrics a page shows first, and which value of a metric is the highest."""

from collections.abc import Iterable, Sequence
from typing import Protocol

FOLDED = ("melody_accuracy",)
"""Metrics whose means include pairs without a meaning. They are folded away, unless primary."""
SHOWN_FIRST = 4
"""Number of metrics that are shown above the folded list of all others."""


class MetricMean(Protocol):
    """Query row with the mean of one metric."""

    @property
    def metric(self) -> str: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def random(self) -> bool: ...
    @property
    def metric_random(self) -> bool: ...


def split_metrics(
    metrics: Sequence[str], rows: Iterable[MetricMean], *, primary: str
) -> tuple[list[str], list[str]]:
    """Return the metrics to show first, starting with the primary one, and all others.

    Metrics without any value are left out.
    """
    with_values = {row.metric for row in rows if row.mean is not None}
    ordered = [metric for metric in metrics if metric in with_values]
    if primary in ordered:
        ordered = [primary, *(metric for metric in ordered if metric != primary)]
    first = [metric for metric in ordered if metric == primary or metric not in FOLDED]
    first = first[:SHOWN_FIRST]
    return first, [metric for metric in ordered if metric not in first]


def highest_mean(rows: Iterable[MetricMean], metric: str) -> float | None:
    """Return the highest mean of the metric, without random weights.

    Returns None if fewer than two rows have a mean, because then there is nothing to compare.
    """
    means = [
        row.mean
        for row in rows
        if row.metric == metric and row.mean is not None and not (row.random or row.metric_random)
    ]
    return max(means) if len(means) > 1 else None

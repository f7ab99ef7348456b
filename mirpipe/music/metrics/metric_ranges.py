"""The ranges of metrics: the lowest and the highest possible value.

A metric with a spec declares its range there. The other metrics are declared here.
"""

import math

Range = tuple[float, float]

_COSINE: Range = (-1.0, 1.0)
_RANGES_WITHOUT_SPEC: dict[str, Range] = {
    "cosine": _COSINE,
    "z": (-math.inf, math.inf),
    "percentile": (0.0, 100.0),
}
"""Ranges of the numbers that an encoder's own vectors give."""


def metric_range(metric: str, low: float | None, high: float | None) -> Range:
    """Return the range of a metric. `low` and `high` are its spec's bounds; None: no bound.

    Both are None for a metric without a spec: `cosine`, `z`, `percentile`, or `cosine NAME`, which
    is the cosine of a clip by the encoder NAME.
    """
    if metric.startswith("cosine "):
        return _COSINE
    if metric in _RANGES_WITHOUT_SPEC:
        return _RANGES_WITHOUT_SPEC[metric]
    return (-math.inf if low is None else low, math.inf if high is None else high)


def range_of_difference(metric_range: Range) -> Range:
    """Return the range of the difference between two values of a metric with this range."""
    width = metric_range[1] - metric_range[0]
    return (-width, width)

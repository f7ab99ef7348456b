"""Display names of metrics, and the number of decimals with which each metric is shown."""

from dashboard.components import aesthetics_rating
from mirpipe.db.queries.metric_names import metric_name

AXES = {metric: (name, decimals) for metric, name, decimals in aesthetics_rating.AXES}
"""Name and number of decimals for each axis of the aesthetics rating, by metric."""
DECIMALS = {"z": 2, "percentile": 1}
"""Number of decimals, by metric. All other metrics are shown with three decimals."""


def metric_label(metric: str) -> str:
    """Return the display name of a metric for tables and charts."""
    return AXES[metric][0] if metric in AXES else metric_name(metric)


def single_value_label(metric: str) -> str:
    """Return the display name of a metric for the value of a single pair, not for a mean."""
    return "melody accuracy" if metric == "melody_accuracy" else metric_label(metric)


def decimals(metric: str) -> int:
    """Return the number of decimals with which a metric is shown."""
    return AXES[metric][1] if metric in AXES else DECIMALS.get(metric, 3)


def reason_text(code: str) -> str:
    """Return a reason code as words, such as "too few clips" for "too_few_clips"."""
    return code.replace("_", " ")

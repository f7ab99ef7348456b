"""Names of metrics for people, and the number of decimals that each metric is shown with."""

from dashboard.components import aesthetics_rating
from mirpipe.db.queries.metric_names import metric_name

AXES = {metric: (name, decimals) for metric, name, decimals in aesthetics_rating.AXES}
"""Name and decimals of each axis of the aesthetics rating, by metric."""
DECIMALS = {"z": 2, "percentile": 1}
"""Number of decimals of some metrics. All other metrics have three."""


def metric_label(metric: str) -> str:
    """Return the name of a metric for tables and charts."""
    return AXES[metric][0] if metric in AXES else metric_name(metric)


def single_value_label(metric: str) -> str:
    """Return the name of a metric for a value of one pair, not a mean over many pairs."""
    return "melody accuracy" if metric == "melody_accuracy" else metric_label(metric)


def decimals(metric: str) -> int:
    """Return the number of decimals that a metric is shown with."""
    return AXES[metric][1] if metric in AXES else DECIMALS.get(metric, 3)


def reason_text(code: str) -> str:
    """Return a reason code as words, such as "too few clips" for "too_few_clips"."""
    return code.replace("_", " ")

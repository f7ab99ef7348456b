"""What people call a metric, and how it is written."""

from dashboard.components import aesthetics_rating
from mirpipe.db.queries.metric_names import metric_name

AXES = {metric: (name, decimals) for metric, name, decimals in aesthetics_rating.AXES}
DECIMALS = {"z": 2, "percentile": 1}


def named(metric: str) -> str:
    """A metric's name for people; that of a cosine of clips ends with its encoder's."""
    return AXES[metric][0] if metric in AXES else metric_name(metric)


def of_one(metric: str) -> str:
    """The name of a number of one pair or target, not of many."""
    return "melody accuracy" if metric == "melody_accuracy" else named(metric)


def decimals(metric: str) -> int:
    """How many are worth reading."""
    return AXES[metric][1] if metric in AXES else DECIMALS.get(metric, 3)


def guided(guidance: float | None) -> str:
    """A guidance scale, or none where the generator has none."""
    return "none" if guidance is None else f"{guidance:g}"


def said(reason: str) -> str:
    """A reason's code, in words."""
    return reason.replace("_", " ")

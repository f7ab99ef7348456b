"""What people call a metric, and how it is written."""

from dashboard import rating

AXES = {metric: (name, decimals) for metric, name, decimals in rating.AXES}
BOUNDS = {"melody_accuracy_null95", "melody_oti_null95"}
"""What chance reaches, beside a number of its own; not a score."""
NAMES = {
    "cosine": "cosine (own space)",
    "melody_accuracy": "melody accuracy, all",
    "melody_accuracy_melodic": "melody accuracy, pitched",
    "melody_accuracy_corrected": "melody accuracy, chance-corrected",
    "melody_oti": "melody accuracy, best transposition",
    "melody_oti_corrected": "best transposition, chance-corrected",
    "aligned_melody": "aligned melody",
    "clap_similarity": "CLAP similarity",
}
DECIMALS = {"z": 2, "percentile": 1}


def named(metric: str) -> str:
    """A metric's name for people; that of a cosine of clips ends with its encoder's."""
    if metric in AXES:
        return AXES[metric][0]
    return NAMES.get(metric, metric.replace("_", " "))


def decimals(metric: str) -> int:
    """How many are worth reading."""
    return AXES[metric][1] if metric in AXES else DECIMALS.get(metric, 3)


def guided(guidance: float | None) -> str:
    """A guidance scale, or none where the generator has none."""
    return "none" if guidance is None else f"{guidance:g}"


def said(reason: str) -> str:
    """A reason's code, in words."""
    return reason.replace("_", " ")

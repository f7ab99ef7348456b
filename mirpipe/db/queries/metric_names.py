"""What people call a metric, in sentences, tables and charts."""

_NAMES = {
    "cosine": "cosine (own space)",
    "melody_accuracy": "melody accuracy of all pairs",
    "melody_accuracy_melodic": "melody accuracy of pitched pairs",
    "melody_accuracy_corrected": "melody accuracy beyond chance",
    "melody_oti": "melody accuracy in the best key",
    "melody_oti_corrected": "melody accuracy in the best key beyond chance",
    "clap_similarity": "CLAP similarity",
    "clap_text_score": "CLAP text score",
}

BOUNDS = {"melody_accuracy_null95", "melody_oti_null95"}
"""What chance reaches, beside a number of its own; not a score."""


def metric_name(metric: str) -> str:
    """A metric's name for people; that of a cosine of clips ends with its encoder's."""
    return _NAMES.get(metric, metric.replace("_", " "))

"""Display names of metrics, for sentences, tables and charts."""

_NAMES = {
    "cosine": "cosine (own space)",
    "melody_accuracy": "melody accuracy of all pairs",
    "melody_accuracy_melodic": "melody accuracy of pitched pairs",
    "melody_accuracy_corrected": "chance-corrected melody accuracy",
    "melody_accuracy_shifted": "melody accuracy at the best offset",
    "melody_offset": "best offset of the melody (s)",
    "melody_oti": "melody accuracy in the best transposition",
    "melody_oti_corrected": "chance-corrected melody accuracy in the best transposition",
    "clap_similarity": "CLAP similarity",
    "clap_text_score": "CLAP text score",
    "muq_mulan_text_score": "MuQ-MuLan text score",
}

NOT_SCORES = {"melody_accuracy_null95", "melody_oti_null95", "melody_offset"}
"""Metrics that are not scores: upper bounds of the chance level, and the offset of the melody.

Their means are not shown."""


def metric_name(metric: str) -> str:
    """Return the display name of a metric.

    A metric without an entry keeps its name, with spaces instead of underscores. For example, the
    cosines of clips, such as `cosine clap`, have no entry.
    """
    return _NAMES.get(metric, metric.replace("_p_at_", " P@").replace("_", " "))

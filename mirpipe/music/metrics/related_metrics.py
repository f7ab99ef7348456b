"""Names the metrics that are functions of another metric, or that do not measure quality.

Comparisons by these metrics are exploratory: several versions of the same number would count as
several results.
"""

RELATED_TO = {
    "melody_accuracy_melodic": "melody_accuracy",
    "melody_accuracy_corrected": "melody_accuracy",
    "melody_accuracy_shifted": "melody_accuracy",
    "melody_oti": "melody_accuracy",
    "melody_oti_corrected": "melody_accuracy",
    "cosine clap": "clap_similarity",
}
"""For each metric that is another version of a metric: the metric that is tested instead."""

POSITIONS_IN_A_DISTRIBUTION = ("z", "percentile")
"""Metrics that compare a match with the other references of the same encoder."""


def is_tested(metric: str) -> bool:
    """Return whether declared contrasts are tested by this metric."""
    return metric not in RELATED_TO and metric not in POSITIONS_IN_A_DISTRIBUTION

"""The name of a metric with the licence of the weights that compute it."""

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components import markup, metric_labels
from dashboard.components.plugin_labels import RANDOM_WEIGHTS
from mirpipe.db import queries


def metric_heading(metric: str, rows: Sequence[queries.GenerationSummary]) -> Markup:
    """Return the metric's name, its licence if it has one, and the badge of random weights."""
    row = next((row for row in rows if row.metric == metric), None)
    heading = Markup("{}").format(metric_labels.metric_label(metric))
    if row and row.metric_licence_weights:
        heading += markup.small_line(row.metric_licence_weights)
    if row and row.metric_random:
        heading += markup.badge(RANDOM_WEIGHTS)
    return heading

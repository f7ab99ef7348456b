"""Metric headings: the metric's name, and the licence of the weights that it uses."""

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components import markup, metric_labels
from dashboard.components.plugin_labels import RANDOM_WEIGHTS
from mirpipe.db import queries


def metric_heading(metric: str, rows: Sequence[queries.GenerationSummary]) -> Markup:
    """Return the metric's name, its licence (if any), and a badge if its weights are random."""
    row = next((row for row in rows if row.metric == metric), None)
    heading = Markup("{}").format(metric_labels.metric_label(metric))
    if row and row.metric_licence_weights:
        heading += markup.small_line(row.metric_licence_weights)
    if row and row.metric_random:
        heading += markup.badge(RANDOM_WEIGHTS)
    return heading

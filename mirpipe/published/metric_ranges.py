"""The ranges of the published metrics, which have the same names as mirpipe's own metrics."""

from mirpipe.music.metrics.clap_similarity import CLAP_SIMILARITY
from mirpipe.music.metrics.melody_accuracy import ACCURACY
from mirpipe.music.metrics.metric_ranges import Range, metric_range
from mirpipe.plugins.track_metrics.audiobox_aesthetics import SPEC as AESTHETICS

_BOUNDS = {
    **{spec.name: (spec.low, spec.high) for spec in (CLAP_SIMILARITY, ACCURACY)},
    **dict.fromkeys(AESTHETICS.axes, (AESTHETICS.low, AESTHETICS.high)),
}


def published_range(metric: str) -> Range:
    """Return the lowest and highest possible value of a published metric."""
    return metric_range(metric, *_BOUNDS.get(metric, (None, None)))

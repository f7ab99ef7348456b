"""Mean scores of the best matches in the latest run, by encoder and metric."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class RetrievalSummary:
    """Summary of one metric over one encoder's best matches for all targets."""

    encoder: str
    metric: str
    """Metric of the pair or of the match.

    The metric is cosine, z, percentile, melody_accuracy_melodic (pitched pairs only), another pair
    metric, or a score axis of a model, such as aesthetics_ce.
    """
    n: int
    """Number of targets whose best match has a value."""
    undefined_n: int
    """Number of targets whose best match has no value, or without a match that counts."""
    mean: float | None
    """Mean of the values. None if there are no values."""
    sd: float | None
    """Population standard deviation of the values. None if there are no values."""
    licence_weights: str
    """Licences of the weights of the encoder and the metric."""
    random: bool
    """Whether the encoder or the metric has random weights."""
    metric_random: bool = False
    """Whether the metric has random weights."""
    low: float | None = None
    """Lower end of the mean's 95% interval. None if fewer than two targets have a value."""
    high: float | None = None
    """Upper end of the mean's 95% interval. None if fewer than two targets have a value."""
    same_recording_n: int = 0
    """Number of better matches that are left out, because they are the same recording."""


_RETRIEVAL_SUMMARIES = text("""
    SELECT encoder, metric, n, undefined_n, mean, sd,
        coalesce(licence_weights, '') AS licence_weights, random, metric_random, low, high,
        same_recording_n
    FROM mirpipe.v_retrieval_summary WHERE source = 'library'
    ORDER BY array_position(CAST(:encoder_order AS text[]), encoder), encoder,
        array_position(ARRAY['cosine', 'z', 'percentile', 'melody_accuracy',
            'melody_accuracy_melodic'], metric), metric
""")


def retrieval_summaries() -> list[RetrievalSummary]:
    """Return the summaries of the latest run, sorted by encoder and metric.

    Encoders are in the order of the settings. The list is empty before the first run.
    """
    return read_rows(RetrievalSummary, _RETRIEVAL_SUMMARIES, encoder_order=settings().encoders)

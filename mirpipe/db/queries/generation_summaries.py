"""Mean scores of generated clips in the latest run, by generator, mode and metric."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_PLACES
from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class GenerationSummary:
    """Summary of one metric for the clips of one generator, mode and guidance, over targets.

    The values of a target's clips are averaged first.
    """

    generator: str
    mode: str
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has none."""
    metric: str
    """Name of a metric, or "cosine" and an encoder, for the similarity of target and clip."""
    n: int
    """Number of targets with a value."""
    clips_n: int
    """Number of clips with a value."""
    undefined_n: int
    """Number of clips without a value."""
    mean: float | None
    """Mean of the target means. None if there are no values."""
    sd: float | None
    """Population standard deviation of the target means. None if there are no values."""
    licence_weights: str
    """Licence of the generator's weights."""
    random: bool
    """Whether the generator has random weights."""
    metric_licence_weights: str
    """Licence of the weights that the metric was computed with. Empty if there are none."""
    metric_random: bool
    """Whether the metric was computed with random weights."""
    low: float | None = None
    """Lower end of the mean's 95% interval over targets. None for fewer than two targets."""
    high: float | None = None
    """Upper end of the mean's 95% interval over targets. None for fewer than two targets."""


_GENERATION_SUMMARIES = text(f"""
    SELECT s.generator, s.mode, s.guidance, s.metric, s.n, s.clips_n, s.undefined_n, s.mean, s.sd,
        s.licence_weights, s.random, s.low, s.high,
        coalesce(s.metric_licence_weights, '') AS metric_licence_weights,
        coalesce(s.metric_random, false) AS metric_random
    FROM mirpipe.v_generation_summary s
    LEFT JOIN ({MODE_PLACES}) o ON o.generator = s.generator AND o.mode = s.mode
        AND o.guidance IS NOT DISTINCT FROM s.guidance
    WHERE s.source = 'library'
    ORDER BY o.place, s.metric
""")


def generation_summaries() -> list[GenerationSummary]:
    """Return the summaries of the latest run, sorted by generator, mode and metric.

    Modes without conditioning audio come first.
    """
    return read_rows(GenerationSummary, _GENERATION_SUMMARIES)

"""Encoder comparisons: differences between their best matches in the latest run."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class EncoderComparison:
    """The best matches of two encoders, compared by one metric on the same targets."""

    encoder: str
    """Name of the first encoder."""
    than_encoder: str
    """Name of the second encoder."""
    metric: str
    n: int
    """Number of targets with a value for both encoders."""
    mean_difference: float | None
    """Mean of (first − second encoder), in the unit of the metric. None if n is 0."""
    low: float | None
    """Lower end of the 95% interval of the mean difference over targets. None if there is none."""
    high: float | None
    """Upper end of the 95% interval of the mean difference over targets. None if there is none."""
    higher_n: int
    """Number of targets for which the first encoder has the higher value."""
    p_adjusted: float | None
    """p-value of a sign-flip test, corrected for the other comparisons of the same role."""
    established: bool
    """Whether the comparison was declared and the corrected p-value is below 0.05."""
    random: bool
    """Whether random weights were used."""
    role: str = "secondary"
    """primary, secondary, exploratory or random, as in the table run_comparison."""
    reason: str | None = None
    """Code of the reason why there is no corrected p-value."""
    family_n: int = 1
    """Number of declared contrasts, or of exploratory comparisons, that are corrected together."""
    equal_n: int | None = None
    """Number of targets with the same value for both encoders. None if an older version of mirpipe
    published the run."""


_ENCODER_COMPARISONS = text("""
    SELECT encoder, than_encoder, metric, n, mean_difference, low, high, higher_n, p_adjusted,
        established, random, coalesce(role, 'secondary') AS role, reason, family_n,
        equal_n
    FROM mirpipe.v_retrieval_comparison WHERE source = 'library'
    ORDER BY metric, encoder, than_encoder
""")


def encoder_comparisons() -> list[EncoderComparison]:
    """Return the comparisons between every two encoders, by each metric that is comparable."""
    return read_rows(EncoderComparison, _ENCODER_COMPARISONS)

"""Mode comparisons: differences between the clips of generation modes in the latest run."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_PLACES
from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class ModeComparison:
    """The clips of one generator in two modes, compared by one metric on the same targets.

    The values of each target are first averaged over the seeds.
    """

    generator: str
    metric: str
    mode: str
    """Name of the first mode."""
    guidance: float | None
    """Guidance of the first mode. None if the generator has none."""
    than_mode: str
    """Name of the second mode."""
    than_guidance: float | None
    """Guidance of the second mode. None if the generator has none."""
    n: int
    """Number of targets with a value for both modes."""
    mean_difference: float | None
    """Mean of (first − second mode), in the unit of the metric. None if n is 0."""
    sd: float | None
    """Population standard deviation of the differences. None if n is 0."""
    higher_n: int
    """Number of targets for which the first mode has the higher value."""
    random: bool
    """Whether random weights were used."""
    low: float | None = None
    """Lower end of the 95% interval of the mean difference over targets. None if there is none."""
    high: float | None = None
    """Upper end of the 95% interval of the mean difference over targets. None if there is none."""
    p_adjusted: float | None = None
    """p-value of a sign-flip test, corrected for the other comparisons of the same role."""
    established: bool = False
    """Whether the comparison was declared and the corrected p-value is below 0.05."""
    role: str = "secondary"
    """primary, secondary, exploratory or random, as in the table run_comparison."""
    reason: str | None = None
    """Code of the reason why there is no corrected p-value."""
    family_n: int = 1
    """Number of declared contrasts, or of exploratory comparisons, that are corrected together."""
    equal_n: int | None = None
    """Number of targets with the same value for both modes. None if an older version of mirpipe
    published the run."""


_MODE_COMPARISONS = text(f"""
    SELECT d.generator, d.metric, d.mode, d.guidance, d.than_mode, d.than_guidance, d.n,
        d.mean_difference, d.sd, d.higher_n, d.random, d.low, d.high, d.p_adjusted, d.established,
        coalesce(d.role, 'secondary') AS role, d.reason, d.family_n,
        d.equal_n
    FROM mirpipe.v_generation_delta d
    JOIN ({MODE_PLACES}) a ON a.generator = d.generator AND a.mode = d.mode
        AND a.guidance IS NOT DISTINCT FROM d.guidance
    WHERE d.source = 'library'
    ORDER BY d.metric, a.place, d.than_mode
""")


def mode_comparisons() -> list[ModeComparison]:
    """Return the comparisons between every two modes of each generator, sorted by metric.

    The first mode is the one with conditioning audio or with the higher guidance.
    """
    return read_rows(ModeComparison, _MODE_COMPARISONS)

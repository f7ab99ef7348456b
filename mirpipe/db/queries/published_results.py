"""The published tables: printed numbers, recomputed numbers, and a verdict on each claim."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class PublishedNumber:
    """A printed mean, standard deviation or change, and the number computed from the lines."""

    task: str
    """Task of the table: retrieval or generation."""
    subject: str | None
    """Encoder or mode, as printed. For a change, the mode after the change."""
    than_subject: str | None
    """Mode before the change. None for means and standard deviations."""
    metric: str
    number: str
    """Kind of the number: mean, sd (population) or "change, percent"."""
    printed: str
    """Number as printed, with its decimals."""
    recomputed: float | None
    """Number computed from the printed lines. None if it cannot be computed from them."""
    agrees: bool
    """Whether the recomputed number equals the printed one after rounding to its decimals."""
    discrepancy: str | None
    """Known cause of a difference. None if no cause is known, or if there is no difference."""


@dataclass(frozen=True)
class PublishedMean:
    """Mean of one metric over the published targets for one encoder or mode."""

    task: str
    """Task of the table: retrieval or generation."""
    subject: str
    """Encoder or mode, as printed."""
    guidance: float | None
    """Classifier-free guidance scale. None for retrieval."""
    metric: str
    n: int
    """Number of targets with a value."""
    mean: float
    """Mean in the unit of the metric."""
    sd: float
    """Population standard deviation, in the unit of the metric."""
    low: float | None
    """Lower end of the mean's 95% interval over targets. None if there is none."""
    high: float | None
    """Upper end of the mean's 95% interval over targets. None if there is none."""


@dataclass(frozen=True)
class PublishedDifference:
    """Two encoders or two modes, compared by one metric on the same published targets."""

    task: str
    """Task of the table: retrieval or generation."""
    subject: str
    """First encoder or mode, as printed."""
    than_subject: str
    """Second encoder or mode, as printed."""
    metric: str
    n: int
    """Number of targets with both values."""
    mean_difference: float
    """Mean of (first − second), in the unit of the metric."""
    low: float | None
    """Lower end of the 95% interval of the mean difference. None if there is none."""
    high: float | None
    """Upper end of the 95% interval of the mean difference. None if there is none."""
    higher_n: int
    """Number of targets for which the first encoder or mode has the higher value."""
    p: float | None
    """p-value of a sign-flip test."""
    p_adjusted: float | None
    """p-value after correction for the other comparisons of the same role."""
    family_n: int
    """Number of declared contrasts, or of exploratory comparisons, that are corrected together."""
    established: bool
    """Whether the comparison was declared and the corrected p-value is below 0.05."""
    percent: float | None
    """Difference as a percentage of the second mean. None for retrieval."""
    role: str
    """primary, secondary or exploratory."""
    reason: str | None
    """Code of the reason why there is no corrected p-value."""


@dataclass(frozen=True)
class PublishedClaim:
    """A published claim, the relevant numbers, and whether the numbers support the claim."""

    section: str
    """Topic of the claim."""
    claim: str
    """Claim, in our own words."""
    numbers: str
    """Numbers computed from the printed lines."""
    verdict: str
    """Short verdict, such as "stands" or "not established"."""
    remark: str | None
    """Explanation of the verdict. None if no explanation is needed."""


_NUMBERS = text("""
    SELECT task, subject, than_subject, metric, number, printed::text AS printed, recomputed,
        agrees, discrepancy
    FROM mirpipe.v_published ORDER BY place, number
""")
_MEANS = text("""
    SELECT s.task, s.subject, s.guidance, s.metric, s.n, s.mean, s.sd, s.low, s.high FROM (
        SELECT 'retrieval' AS task, encoder AS subject, NULL::double precision AS guidance,
            metric, n, mean, sd, low, high
        FROM mirpipe.v_retrieval_summary WHERE source = 'published'
        UNION ALL
        SELECT 'generation', mode, guidance, metric, n, mean, sd, low, high
        FROM mirpipe.v_generation_summary WHERE source = 'published') s
    JOIN (SELECT task, subject, min(line) AS line FROM mirpipe.published_score
        GROUP BY task, subject) l USING (task, subject)
    ORDER BY s.task DESC, l.line, s.metric
""")
_DIFFERENCES = text("""
    SELECT task, subject, than_subject, metric, n, mean_difference, low, high, higher_n, p,
        p_adjusted, family_n, established, percent, role, reason
    FROM (
        SELECT 'retrieval' AS task, encoder AS subject, than_encoder AS than_subject, metric, n,
            mean_difference, low, high, higher_n, p, p_adjusted, family_n, established,
            NULL::double precision AS percent, role, reason
        FROM mirpipe.v_retrieval_comparison WHERE source = 'published'
        UNION ALL
        SELECT 'generation', mode, than_mode, metric, n, mean_difference, low, high, higher_n,
            p, p_adjusted, family_n, established, percent, role, reason
        FROM mirpipe.v_generation_delta WHERE source = 'published') d
    ORDER BY task DESC, array_position(ARRAY['clap_similarity', 'melody_accuracy'], metric),
        metric, subject, than_subject
""")
_CLAIMS = text("""
    SELECT section, claim, numbers, verdict, remark FROM mirpipe.published_claim ORDER BY line
""")


def published_numbers() -> list[PublishedNumber]:
    """Return every printed mean, standard deviation and change, in the printed order.

    The list is empty if the tables have not been imported.
    """
    return read_rows(PublishedNumber, _NUMBERS)


def published_means() -> list[PublishedMean]:
    """Return the means of each encoder and mode, in the printed order and sorted by metric."""
    return read_rows(PublishedMean, _MEANS)


def published_differences() -> list[PublishedDifference]:
    """Return the comparisons between every two encoders and every two modes, sorted by metric."""
    return read_rows(PublishedDifference, _DIFFERENCES)


def published_claims() -> list[PublishedClaim]:
    """Return the published claims in the order of the report."""
    return read_rows(PublishedClaim, _CLAIMS)

"""The published tables: what was printed beside what its lines give, and what was claimed."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows


@dataclass(frozen=True)
class PublishedNumber:
    """A printed mean, sd or change, with its decimals, and what the lines give.

    `agrees` is False where the two differ in the printed decimals; `discrepancy` is then the known
    reason. `than_subject` is, of a change, the mode that it starts from.
    """

    task: str
    subject: str | None
    than_subject: str | None
    metric: str
    number: str
    printed: str
    recomputed: float | None
    agrees: bool
    discrepancy: str | None


@dataclass(frozen=True)
class PublishedMean:
    """A mean over the published targets with its sd (population) and 95 % interval."""

    task: str
    subject: str
    guidance: float | None
    metric: str
    n: int
    mean: float
    sd: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class PublishedDifference:
    """Two encoders, or two modes, compared over the published targets that both have."""

    task: str
    subject: str
    than_subject: str
    metric: str
    n: int
    mean_difference: float
    low: float | None
    high: float | None
    higher_n: int
    p: float | None
    p_holm: float | None
    family_n: int
    established: bool
    percent: float | None


@dataclass(frozen=True)
class PublishedClaim:
    """What was claimed, what the numbers say, and whether they bear it out."""

    section: str
    claim: str
    numbers: str
    verdict: str
    remark: str | None


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
    SELECT task, subject, than_subject, metric, n, mean_difference, low, high, higher_n, p, p_holm,
        family_n, established, percent
    FROM (
        SELECT 'retrieval' AS task, encoder AS subject, than_encoder AS than_subject, metric, n,
            mean_difference, low, high, higher_n, p, p_holm, family_n, established,
            NULL::double precision AS percent
        FROM mirpipe.v_retrieval_comparison WHERE source = 'published'
        UNION ALL
        SELECT 'generation', mode, than_mode, metric, n, mean_difference, low, high, higher_n,
            p, p_holm, family_n, established, percent
        FROM mirpipe.v_generation_delta WHERE source = 'published') d
    ORDER BY task DESC, array_position(ARRAY['clap_similarity', 'melody_accuracy'], metric),
        metric, subject, than_subject
""")
_CLAIMS = text("""
    SELECT section, claim, numbers, verdict, remark FROM mirpipe.published_claim ORDER BY line
""")


def published_numbers() -> list[PublishedNumber]:
    """Every printed mean, sd and change, in the order of print; empty before an import."""
    return rows(PublishedNumber, _NUMBERS)


def published_means() -> list[PublishedMean]:
    """What the lines give by encoder and mode, in the order of print, metrics by name."""
    return rows(PublishedMean, _MEANS)


def published_differences() -> list[PublishedDifference]:
    """What the lines give of every two encoders and modes, by metric."""
    return rows(PublishedDifference, _DIFFERENCES)


def published_claims() -> list[PublishedClaim]:
    """What was claimed, in the order of the report."""
    return rows(PublishedClaim, _CLAIMS)

"""What the latest run answered, how good its answers were, and what the last runs changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class Run:
    """A report that found something changed.

    `library` counts tracks by collection and state ("reference ok"); `changes` counts the first
    answers that changed by cause; `confirmed_at` is when a later report last found all as it was.
    """

    run_id: int
    finished_at: datetime
    confirmed_at: datetime
    trigger: str
    library: dict[str, int]
    changes: dict[str, int]


@dataclass(frozen=True)
class Change:
    """A first answer that a run changed; `previous` or `reference` is None where there was none."""

    encoder: str
    target: str
    previous: str | None
    reference: str | None
    cause: str


@dataclass(frozen=True)
class Summary:
    """Mean and sd (population) of a metric over the first answer of every target.

    `licence_weights` and `random` are about encoder and metric together.
    """

    encoder: str
    metric: str
    n: int
    undefined_n: int
    mean: float | None
    sd: float | None
    licence_weights: str
    random: bool
    metric_random: bool = False
    """It is the metric that has random weights, and perhaps the encoder, too."""
    low: float | None = None
    """Lower end of the mean's 95 % interval over targets; None where there is none."""
    high: float | None = None


@dataclass(frozen=True)
class Target:
    """A usable track of the collection `target`; `content_sha256` is what a link should hold."""

    track_id: int
    content_sha256: str
    title: str
    labels: dict[str, str]
    seconds: float
    voiced: bool | None
    """False: unpitched, so that no melody number has a meaning; None: not measured yet."""
    answered: bool


@dataclass(frozen=True)
class Match:
    """A reference that an encoder gives for a target; rank 1 is the nearest.

    `cosine` lies in the encoder's own space and is not comparable between encoders; `z` is in sd
    above the target's mean over the reference library; `percentile` (0 to 100) is the share of
    reference pairs with a lower cosine. `melody_reason` says why there is no `melody_accuracy`;
    `melodic` is False where a side is unpitched and the number has no meaning.
    """

    encoder: str
    rank: int
    target_id: int
    target: str
    reference_id: int
    reference: str
    reference_labels: dict[str, str]
    cosine: float
    z: float | None
    percentile: float | None
    melody_accuracy: float | None
    melody_reason: str | None
    melodic: bool | None
    target_voiced: bool | None
    reference_voiced: bool | None
    melody_corrected: float | None
    """Melody accuracy with chance at 0 and identity at 1."""
    melody_null95: float | None
    """What 95 % of this pair's time shifts do not exceed."""
    melody_oti: float | None
    """Melody accuracy after the best transposition."""
    melody_oti_null95: float | None
    aligned_melody: float | None
    """Share of the shorter one's notes that the other plays, in any key and tempo."""
    clap_similarity: float | None
    clap_similarity_random: bool | None


_RUNS = text("""
    SELECT r.run_id, r.finished_at, r.confirmed_at, r.trigger, r.library, coalesce((
        SELECT jsonb_object_agg(cause, changes) FROM (
            SELECT c.cause, count(*) AS changes FROM mirpipe.v_change c
            WHERE c.run_id = r.run_id GROUP BY c.cause) counted
    ), '{}') AS changes
    FROM mirpipe.run r ORDER BY r.run_id DESC LIMIT :limit
""")
_CHANGES = text("""
    SELECT encoder, target, previous, reference, cause FROM mirpipe.v_change
    WHERE run_id = :run_id
    ORDER BY target, target_id, array_position(CAST(:shown AS text[]), encoder), encoder
""")
_SUMMARY = text("""
    SELECT encoder, metric, n, undefined_n, mean, sd,
        coalesce(licence_weights, '') AS licence_weights, random, metric_random, low, high
    FROM mirpipe.v_retrieval_summary WHERE source = 'library'
    ORDER BY array_position(CAST(:shown AS text[]), encoder), encoder, array_position(ARRAY[
        'cosine', 'z', 'percentile', 'melody_accuracy', 'melody_accuracy_melodic'], metric), metric
""")
_TARGETS = text("""
    SELECT t.track_id, t.content_sha256, t.title, t.labels, t.seconds, t.voiced,
        t.track_id IN (SELECT target_id FROM mirpipe.v_retrieval WHERE rank = 1) AS answered
    FROM mirpipe.v_library t
    WHERE t.collection = 'target' AND t.state = 'ok' ORDER BY t.title, t.content_sha256
""")
_ANSWER = """
    SELECT encoder, rank, target_id, target, reference_id, reference, reference_labels,
        cosine, z, percentile, melody_accuracy, melody_reason, melodic,
        target_voiced, reference_voiced, melody_corrected, melody_null95, melody_oti,
        melody_oti_null95, aligned_melody, clap_similarity, clap_similarity_random
    FROM mirpipe.v_retrieval
"""
_ANSWERS = text(f"""{_ANSWER} WHERE target_id = :target_id AND rank <= :k
    ORDER BY array_position(CAST(:shown AS text[]), encoder), encoder, rank""")
_FIRST_ANSWERS = text(f"""{_ANSWER} WHERE rank = 1
    ORDER BY target, target_id, array_position(CAST(:shown AS text[]), encoder), encoder""")


def latest_run() -> Run | None:
    """The run that readers see, or None before the first: key of every cache of results."""
    return next(iter(runs(limit=1)), None)


def runs(*, limit: int = 10) -> list[Run]:
    """The last runs, newest first."""
    return rows(Run, _RUNS, limit=limit)


def changes(run_id: int) -> list[Change]:
    """The first answers that a run changed, by target."""
    return rows(Change, _CHANGES, run_id=run_id, shown=settings().encoders)


def summary() -> list[Summary]:
    """The latest run by encoder and metric, in the order in which they are shown.

    Metrics: cosine, z, percentile, melody_accuracy, and melody_accuracy_melodic, which leaves out
    pairs with an unpitched side; then the axes of models that score tracks, of the answers.
    """
    return rows(Summary, _SUMMARY, shown=settings().encoders)


def targets() -> list[Target]:
    """Every usable target by title; those without an answer yet are marked."""
    return rows(Target, _TARGETS)


def matches(target_id: int, *, k: int = 10) -> list[Match]:
    """The nearest k references of a target by encoder and rank; empty before its first run."""
    return rows(Match, _ANSWERS, target_id=target_id, k=k, shown=settings().encoders)


def best_matches() -> list[Match]:
    """Every target's nearest reference by each encoder, by target."""
    return rows(Match, _FIRST_ANSWERS, shown=settings().encoders)

"""The votes of a listening test, and the metrics of the tracks that were compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_hidden_rows, read_rows


@dataclass(frozen=True)
class Vote:
    """The answer of one listener to one question."""

    listener: int
    """Number of the listener in the test."""
    question_id: int
    criterion: Literal["similarity", "quality"]
    control: Literal["copy", "random"] | None
    target_id: int
    first_id: int
    second_id: int | None
    """None if one track was rated."""
    first_subject: str | None
    """None for a control."""
    second_subject: str | None
    is_swapped: bool
    """Whether the first track was on the right."""
    is_repeat: bool
    """Whether the listener was asked the same question before."""
    answer: int
    """For two tracks: 1 for the first, −1 for the second, 0 for neither. For a rating: 1 to 5."""


@dataclass(frozen=True)
class PairMetric:
    """The values of a metric for targets and their matches or clips."""

    name: str
    """Name of a pair metric, of a score axis, or `cosine` with the name of an encoder."""
    is_random: bool
    """Whether the metric or encoder has random weights."""
    values: dict[tuple[int, int], float]
    """Values by target id and track id. Undefined values are left out."""


@dataclass(frozen=True)
class _MetricValue:
    target_id: int
    track_id: int
    metric: str
    value: float
    is_random: bool


@dataclass(frozen=True)
class _Subject:
    subject: str


_VOTES = text("""
    SELECT l.number AS listener, v.question_id, q.criterion, q.control, q.target_id, q.first_id,
        q.second_id, q.first_subject, q.second_subject, v.is_swapped, v.answer,
        v.position > min(v.position) OVER (PARTITION BY v.listener_id, v.question_id) AS is_repeat
    FROM mirpipe.listener l JOIN mirpipe.vote v USING (listener_id)
    JOIN mirpipe.listening_question q USING (question_id)
    WHERE l.listening_test_id = :test_id AND v.answer IS NOT NULL
    ORDER BY l.number, v.position
""")
# The scores of clips are those of v_generation_score, but also of clips that are no longer shown. A
# match is compared as a complete track.
_METRICS = text("""
    WITH pair AS MATERIALIZED (
        SELECT p.target_id, p.track_id, t.collection
        FROM unnest(CAST(:target_ids AS bigint[]), CAST(:track_ids AS bigint[]))
            p (target_id, track_id)
        JOIN mirpipe.track t USING (track_id)
    ), clip AS MATERIALIZED (
        SELECT DISTINCT ON (target_id, track_id) target_id, track_id, g.excerpt_id, g.caption_id
        FROM pair JOIN mirpipe.generation g USING (target_id, track_id)
        WHERE collection = 'generated' ORDER BY target_id, track_id, g.generation_id
    ), compared AS MATERIALIZED (
        SELECT target_id, track_id, excerpt_id FROM clip
        UNION ALL SELECT target_id, track_id, NULL FROM pair WHERE collection = 'reference'
    ), metric AS MATERIALIZED (TABLE mirpipe.shown_metric)
    SELECT p.target_id, p.track_id, m.name AS metric, s.value, m.is_random
    FROM compared p CROSS JOIN metric m JOIN mirpipe.pair_score s
        ON (s.metric_id, s.target_id, s.reference_id) = (m.metric_id, p.target_id, p.track_id)
        AND s.excerpt_id IS NOT DISTINCT FROM p.excerpt_id
    WHERE s.value IS NOT NULL
    UNION ALL
    SELECT p.target_id, p.track_id, m.name, s.value, m.is_random
    FROM compared p CROSS JOIN metric m
    JOIN mirpipe.track_score s ON (s.metric_id, s.track_id) = (m.metric_id, p.track_id)
    WHERE s.value IS NOT NULL
    UNION ALL
    SELECT p.target_id, p.track_id, 'cosine ' || e.name,
        -(coalesce(x.embedding, a.embedding) OPERATOR(public.<#>) b.embedding), e.is_random
    FROM compared p CROSS JOIN mirpipe.serving_revision r JOIN mirpipe.encoder e USING (encoder_id)
    LEFT JOIN mirpipe.excerpt_vector x
        ON (x.encoder_id, x.excerpt_id) = (e.encoder_id, p.excerpt_id)
    LEFT JOIN mirpipe.embedding a ON (a.encoder_id, a.track_id) = (e.encoder_id, p.target_id)
        AND p.excerpt_id IS NULL
    JOIN mirpipe.embedding b ON (b.encoder_id, b.track_id) = (e.encoder_id, p.track_id)
    WHERE coalesce(x.embedding, a.embedding) IS NOT NULL
    UNION ALL
    SELECT p.target_id, p.track_id, m.name,
        -(c.embedding OPERATOR(public.<#>) v.embedding), m.is_random
    FROM clip p CROSS JOIN metric m
    JOIN mirpipe.encoder e
        ON (e.name, e.revision) = (m.spec ->> 'encoder', m.spec ->> 'encoder_revision')
    JOIN mirpipe.caption_embedding c
        ON (c.encoder_id, c.caption_id) = (e.encoder_id, p.caption_id)
    JOIN mirpipe.embedding v ON (v.encoder_id, v.track_id) = (e.encoder_id, p.track_id)
    WHERE m.spec ->> 'compares' = 'caption'
    ORDER BY metric, target_id, track_id
""")
_RANDOM_SUBJECTS = text("""
    SELECT DISTINCT s.subject
    FROM mirpipe.listening_question q JOIN mirpipe.listening_test t USING (listening_test_id)
    CROSS JOIN LATERAL (
        VALUES (q.first_subject, q.first_id), (q.second_subject, q.second_id)) s (subject, track_id)
    WHERE q.listening_test_id = :test_id AND s.subject IS NOT NULL AND (
        EXISTS (SELECT FROM mirpipe.generation g JOIN mirpipe.generator r USING (generator_id)
            WHERE g.track_id = s.track_id AND g.target_id = q.target_id AND r.is_random)
        OR EXISTS (
            SELECT FROM mirpipe.served_neighbour n JOIN mirpipe.encoder e USING (encoder_id)
            WHERE (n.target_id, n.reference_id) = (q.target_id, s.track_id)
              AND n.from_run <= t.run_id AND (n.to_run IS NULL OR n.to_run > t.run_id)
              AND e.name = s.subject AND e.is_random))
""")


def listening_votes(listening_test_id: int) -> list[Vote]:
    """Return the votes of a test, sorted by listener and position.

    They are read by the role app: readers see only sums over listeners.
    """
    return read_hidden_rows(Vote, _VOTES, test_id=listening_test_id)


def random_subjects(listening_test_id: int) -> set[str]:
    """Return the encoders and modes of a test whose answers were made with random weights."""
    rows = read_rows(_Subject, _RANDOM_SUBJECTS, test_id=listening_test_id)
    return {row.subject for row in rows}


def metrics_of_pairs(pairs: Iterable[tuple[int, int]]) -> list[PairMetric]:
    """Return the metrics of targets and their matches or clips, which are pairs of track ids."""
    ids = sorted(set(pairs))
    found: dict[str, PairMetric] = {}
    for row in read_rows(
        _MetricValue,
        _METRICS,
        target_ids=[target for target, _ in ids],
        track_ids=[track for _, track in ids],
    ):
        metric = found.setdefault(row.metric, PairMetric(row.metric, row.is_random, {}))
        metric.values[row.target_id, row.track_id] = row.value
    return list(found.values())

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
class _MetricValue:
    target_id: int
    track_id: int
    metric: str
    value: float


_VOTES = text("""
    SELECT l.number AS listener, v.question_id, q.criterion, q.control, q.target_id, q.first_id,
        q.second_id, q.first_subject, q.second_subject, v.is_swapped, v.answer,
        v.position > min(v.position) OVER (PARTITION BY v.listener_id, v.question_id) AS is_repeat
    FROM mirpipe.listener l JOIN mirpipe.vote v USING (listener_id)
    JOIN mirpipe.listening_question q USING (question_id)
    WHERE l.listening_test_id = :test_id AND v.answer IS NOT NULL
    ORDER BY l.number, v.position
""")
# The scores of clips are those of v_generation_score. A match is compared as a complete track.
_METRICS = text("""
    WITH pair AS MATERIALIZED (
        SELECT p.target_id, p.track_id, t.collection
        FROM unnest(CAST(:target_ids AS bigint[]), CAST(:track_ids AS bigint[]))
            p (target_id, track_id)
        JOIN mirpipe.track t USING (track_id)
    )
    SELECT s.target_id, s.track_id, s.metric, s.value
    FROM pair p JOIN mirpipe.v_generation_score s USING (target_id, track_id)
    WHERE p.collection = 'generated' AND s.value IS NOT NULL
    UNION
    SELECT p.target_id, p.track_id, m.name, s.value
    FROM pair p CROSS JOIN mirpipe.shown_metric m JOIN mirpipe.pair_score s
        ON (s.metric_id, s.target_id, s.reference_id) = (m.metric_id, p.target_id, p.track_id)
        AND s.excerpt_id IS NULL
    WHERE p.collection = 'reference' AND s.value IS NOT NULL
    UNION
    SELECT p.target_id, p.track_id, m.name, s.value
    FROM pair p CROSS JOIN mirpipe.shown_metric m
    JOIN mirpipe.track_score s ON (s.metric_id, s.track_id) = (m.metric_id, p.track_id)
    WHERE p.collection = 'reference' AND s.value IS NOT NULL
    UNION
    SELECT p.target_id, p.track_id, 'cosine ' || e.name,
        -(a.embedding OPERATOR(public.<#>) b.embedding)
    FROM pair p CROSS JOIN mirpipe.serving_revision r JOIN mirpipe.encoder e USING (encoder_id)
    JOIN mirpipe.embedding a ON (a.encoder_id, a.track_id) = (e.encoder_id, p.target_id)
    JOIN mirpipe.embedding b ON (b.encoder_id, b.track_id) = (e.encoder_id, p.track_id)
    WHERE p.collection = 'reference'
    ORDER BY metric, target_id, track_id
""")


def listening_votes(listening_test_id: int) -> list[Vote]:
    """Return the votes of a test, sorted by listener and position.

    They are read by the role app: readers see only sums over listeners.
    """
    return read_hidden_rows(Vote, _VOTES, test_id=listening_test_id)


def metrics_of_pairs(pairs: Iterable[tuple[int, int]]) -> dict[str, dict[tuple[int, int], float]]:
    """Return the metrics of targets and their matches or clips: by metric, then by pair of ids.

    A metric is a pair metric, the score of the match or clip alone, or `cosine` with the name of an
    encoder. Undefined values are left out.
    """
    ids = sorted(set(pairs))
    values: dict[str, dict[tuple[int, int], float]] = {}
    for row in read_rows(
        _MetricValue,
        _METRICS,
        target_ids=[target for target, _ in ids],
        track_ids=[track for _, track in ids],
    ):
        values.setdefault(row.metric, {})[row.target_id, row.track_id] = row.value
    return values

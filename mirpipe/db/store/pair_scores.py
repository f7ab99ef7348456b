"""Stores pair scores, finds pairs without a score, and computes cosines from stored vectors.

An existing row was computed from the same inputs by the same revision. It is equal and kept.
Rows are inserted in key order, so that two writers cannot deadlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from mirpipe.db.store.array_literals import array_literal
from mirpipe.db.store.held_cursor import held_rows
from mirpipe.records import Score


class Pair(NamedTuple):
    """A target, and one of its matches or clips."""

    target_id: int
    reference_id: int
    """Track id of the match or clip."""
    excerpt_id: int | None
    """Excerpt of the target that a clip is compared with. None for a match."""


_PENDING = (
    "SELECT target_id, reference_id, excerpt_id, array_agg(metric_id) AS metric_ids, "
    "count(*) OVER () AS total "
    "FROM mirpipe.pending_pair WHERE metric_id = ANY(%(metric_ids)s) "
    "GROUP BY target_id, reference_id, excerpt_id ORDER BY target_id, reference_id, excerpt_id"
)
# If a track cannot be embedded, the reason for the pair is taken from the failure ledger.
_VECTOR_OR_REASON = """
    LEFT JOIN mirpipe.embedding {0} ON {0}.encoder_id = e.encoder_id AND {0}.track_id = p.{1}
    LEFT JOIN LATERAL (
        SELECT f.reason FROM mirpipe.failure f
        WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = p.{1} AND NOT f.retry
        ORDER BY f.reason LIMIT 1) no_{0} ON {0}.track_id IS NULL
"""
# For a clip, the vector of the target's excerpt is compared instead of the target's vector.
_EXCERPT_OR_REASON = """
    LEFT JOIN mirpipe.excerpt_vector x
        ON x.encoder_id = e.encoder_id AND x.excerpt_id = p.excerpt_id
    LEFT JOIN LATERAL (
        SELECT f.reason FROM mirpipe.failure f
        WHERE f.stage = 'embed excerpts' AND f.revision = e.revision AND f.track_id = p.target_id
            AND NOT f.retry
        ORDER BY f.reason LIMIT 1) no_x ON p.excerpt_id IS NOT NULL AND x.excerpt_id IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.excerpt_id IS NULL THEN t.embedding ELSE x.embedding END AS embedding,
            coalesce(no_t.reason, no_x.reason) AS reason) s
"""
_COSINES = text(
    "SELECT p.target_id, p.reference_id, p.excerpt_id, "
    "s.embedding IS NULL AND s.reason IS NULL "
    "OR r.embedding IS NULL AND no_r.reason IS NULL AS is_pending, "
    "-(s.embedding OPERATOR(public.<#>) r.embedding) AS value, "
    "coalesce(s.reason, no_r.reason) AS reason "
    "FROM unnest(CAST(:target_ids AS bigint[]), CAST(:reference_ids AS bigint[]), "
    "CAST(:excerpt_ids AS bigint[])) AS p (target_id, reference_id, excerpt_id) "
    "JOIN mirpipe.encoder e ON e.encoder_id = :encoder_id "
    + _VECTOR_OR_REASON.format("t", "target_id")
    + _VECTOR_OR_REASON.format("r", "reference_id")
    + _EXCERPT_OR_REASON
)
_WRITE = text(
    "INSERT INTO mirpipe.pair_score "
    "(metric_id, target_id, reference_id, excerpt_id, value, reason) "
    "SELECT new.* FROM unnest(CAST(:metric_ids AS integer[]), CAST(:target_ids AS bigint[]), "
    "CAST(:reference_ids AS bigint[]), CAST(:excerpt_ids AS bigint[]), "
    "CAST(:values AS double precision[]), CAST(:reasons AS text[])) "
    "AS new (metric_id, target_id, reference_id, excerpt_id) "
    "ORDER BY new.metric_id, new.target_id, new.reference_id, new.excerpt_id "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class PendingPair:
    """A pair, and the metrics for which the pair has no score."""

    pair: Pair
    metric_ids: frozenset[int]


def pending(metric_ids: Sequence[int], *, block: int) -> Iterator[tuple[list[PendingPair], int]]:
    """Yield blocks of pairs without a score by one of these metrics, and their total number.

    A pair is included if the inputs for its score are stored. Postgres keeps the list of pairs, so
    memory use does not grow with their number, and no transaction is open between two blocks.
    """
    for rows in held_rows(_PENDING, {"metric_ids": list(metric_ids)}, block=block):
        pairs = [
            PendingPair(Pair(target, reference, excerpt), frozenset(pending_ids))
            for target, reference, excerpt, pending_ids, _ in rows
        ]
        yield pairs, rows[0][-1]


def cosines(connection: Connection, encoder_id: int, pairs: Sequence[Pair]) -> dict[Pair, Score]:
    """Return the cosine between each pair's stored vectors, or the reason why it is missing.

    A pair is left out if one of its vectors is still pending.
    """
    parameters = {
        "encoder_id": encoder_id,
        "target_ids": [pair.target_id for pair in pairs],
        "reference_ids": [pair.reference_id for pair in pairs],
        "excerpt_ids": [pair.excerpt_id for pair in pairs],
    }
    return {
        Pair(row.target_id, row.reference_id, row.excerpt_id): Score(row.value, row.reason)
        for row in connection.execute(_COSINES, parameters)
        if not row.is_pending
    }


def write(connection: Connection, scores: Mapping[int, Mapping[Pair, Score]]) -> None:
    """Store scores by metric id and pair."""
    rows = [
        (metric_id, *pair, score.value, score.reason)
        for metric_id, scores_by_pair in scores.items()
        for pair, score in scores_by_pair.items()
    ]
    if rows:
        names = ("metric_ids", "target_ids", "reference_ids", "excerpt_ids", "values", "reasons")
        columns = map(array_literal, zip(*rows, strict=True))
        connection.execute(_WRITE, dict(zip(names, columns, strict=True)))

"""Numbers of pairs: which are missing, cosines of stored vectors, and writing a block of them.

What is there already was made of the same by the same revision and is equal, so writing it again
does nothing. Rows are inserted in order of their keys: two writers cannot deadlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.records import Score

Pair = tuple[int, int]
"""Ids of a target and of an answer or a clip."""

_PENDING = text(
    "SELECT target_id, reference_id, array_agg(metric_id) AS metric_ids, count(*) OVER () AS total "
    "FROM mirpipe.pending_pair WHERE metric_id = ANY(:metric_ids) "
    "GROUP BY target_id, reference_id ORDER BY target_id, reference_id"
)
# A track that no vector can be made of has the reason that the ledger gives.
_SIDE = """
    LEFT JOIN mirpipe.embedding {0} ON {0}.encoder_id = e.encoder_id AND {0}.track_id = p.{1}
    LEFT JOIN LATERAL (
        SELECT f.reason FROM mirpipe.failure f
        WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = p.{1} AND NOT f.retry
        ORDER BY f.reason LIMIT 1) no_{0} ON {0}.track_id IS NULL
"""
_COSINES = text(
    "SELECT p.target_id, p.reference_id, t.embedding IS NULL AND no_t.reason IS NULL "
    "OR r.embedding IS NULL AND no_r.reason IS NULL AS is_pending, "
    "-(t.embedding OPERATOR(public.<#>) r.embedding) AS value, "
    "coalesce(no_t.reason, no_r.reason) AS reason "
    "FROM unnest(CAST(:target_ids AS bigint[]), CAST(:reference_ids AS bigint[])) "
    "AS p (target_id, reference_id) "
    "JOIN mirpipe.encoder e ON e.encoder_id = :encoder_id "
    + _SIDE.format("t", "target_id")
    + _SIDE.format("r", "reference_id")
)
_WRITE = text(
    "INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value, reason) "
    "SELECT new.* FROM unnest(CAST(:metric_ids AS smallint[]), CAST(:target_ids AS bigint[]), "
    "CAST(:reference_ids AS bigint[]), CAST(:values AS double precision[]), "
    "CAST(:reasons AS text[])) AS new (metric_id, target_id, reference_id) "
    "ORDER BY new.metric_id, new.target_id, new.reference_id ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class PendingPair:
    """Two tracks, and the metrics that they have no number of."""

    pair: Pair
    metric_ids: frozenset[int]


def pending(
    connection: Connection, metric_ids: Sequence[int], *, block: int
) -> Iterator[tuple[list[PendingPair], int]]:
    """Pairs that lack any of these metrics and can have it, `block` at a time, and their number.

    Streamed from the server in the caller's transaction: memory does not grow with their number.
    """
    found = connection.execute(
        _PENDING,
        {"metric_ids": list(metric_ids)},
        execution_options={"stream_results": True, "max_row_buffer": block},
    )
    for rows in found.partitions(block):
        some = [
            PendingPair((row.target_id, row.reference_id), frozenset(row.metric_ids))
            for row in rows
        ]
        yield some, rows[0].total


def cosines(connection: Connection, encoder_id: int, asked: Sequence[Pair]) -> dict[Pair, Score]:
    """The cosine of two tracks' stored vectors, or why a side can have none; by pair.

    A pair whose vectors are still to come is left out.
    """
    parameters = {
        "encoder_id": encoder_id,
        "target_ids": [target for target, _ in asked],
        "reference_ids": [reference for _, reference in asked],
    }
    return {
        (row.target_id, row.reference_id): Score(row.value, row.reason)
        for row in connection.execute(_COSINES, parameters)
        if not row.is_pending
    }


def write(connection: Connection, scores: Mapping[int, Mapping[Pair, Score]]) -> None:
    """Stores scores: metric id → pair → score."""
    rows = [
        (metric_id, *pair, score.value, score.reason)
        for metric_id, of_metric in scores.items()
        for pair, score in of_metric.items()
    ]
    if rows:
        names = ("metric_ids", "target_ids", "reference_ids", "values", "reasons")
        connection.execute(
            _WRITE, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        )

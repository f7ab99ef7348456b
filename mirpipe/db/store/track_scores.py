"""Stores track scores on a model's score axes, and finds tracks without a score.

An existing row was computed from the same bytes by the same revision, so it is identical and kept.
Rows are inserted in key order, so that two writers cannot deadlock.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from mirpipe.records import Score

_PENDING = text(
    "SELECT DISTINCT track_id FROM mirpipe.pending_track_score WHERE metric_id = ANY(:metric_ids) "
    "AND (CAST(:track_ids AS bigint[]) IS NULL OR track_id = ANY(:track_ids)) ORDER BY track_id"
)
_BATCH = text(
    "INSERT INTO mirpipe.score_batch (device, versions, tracks, seconds) "
    "VALUES (:device, CAST(:versions AS jsonb), :tracks, :seconds) RETURNING batch_id"
)
_WRITE = text(
    "INSERT INTO mirpipe.track_score (metric_id, track_id, value, reason, batch_id) "
    "SELECT new.*, :batch_id FROM unnest(CAST(:metric_ids AS integer[]), "
    "CAST(:track_ids AS bigint[]), CAST(:values AS double precision[]), "
    "CAST(:reasons AS text[])) AS new (metric_id, track_id) "
    "ORDER BY new.metric_id, new.track_id ON CONFLICT DO NOTHING"
)


def pending(
    connection: Connection, metric_ids: Sequence[int], track_ids: Sequence[int] | None = None
) -> list[int]:
    """Return the ids of usable tracks without a score by one of these metrics, in ascending order.

    If `track_ids` is given, only these tracks are considered.
    """
    parameters = {
        "metric_ids": list(metric_ids),
        "track_ids": None if track_ids is None else list(track_ids),
    }
    return list(connection.execute(_PENDING, parameters).scalars())


def write(
    connection: Connection,
    metric_ids: Sequence[int],
    scores: Mapping[int, Sequence[Score]],
    *,
    device: str,
    versions: Mapping[str, str],
    seconds: float,
) -> None:
    """Store one batch of scores by track id: one score per metric, in the order of `metric_ids`.

    `versions` contains the versions of the libraries that computed the scores. `seconds` is the
    time that the batch took.
    """
    if not scores:
        return
    batch_id = connection.execute(
        _BATCH,
        {
            "device": device,
            "versions": json.dumps(dict(versions)),
            "tracks": len(scores),
            "seconds": seconds,
        },
    ).scalar_one()
    rows = [
        (metric_id, track_id, score.value, score.reason)
        for track_id, track_scores in scores.items()
        for metric_id, score in zip(metric_ids, track_scores, strict=True)
    ]
    names = ("metric_ids", "track_ids", "values", "reasons")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    connection.execute(_WRITE, columns | {"batch_id": batch_id})

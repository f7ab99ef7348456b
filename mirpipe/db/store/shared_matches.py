"""Reads the matches of two encoder revisions among the tracks that both have embedded.

A neighbour list is sorted. Without the references that only one revision has embedded, it is
therefore the list that the revision would have found among the shared references.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.queries.shared_best_matches import SCORE_OF_PAIR
from mirpipe.db.store.shared_answers import MetricValues, SharedAnswers, metric_values
from mirpipe.records import Float64, Int64

NO_MATCH = -1
"""Value in a list that has fewer than k matches."""

_COUNTS = text("""
    SELECT t.collection, count(*) AS n
    FROM mirpipe.track t
    JOIN mirpipe.embedding o ON o.encoder_id = :old AND o.track_id = t.track_id
    JOIN mirpipe.embedding w ON w.encoder_id = :new AND w.track_id = t.track_id
    WHERE t.state = 'ok' AND t.collection IN ('reference', 'target')
    GROUP BY t.collection
""")
_MATCHES = text("""
    WITH list AS MATERIALIZED (
        SELECT n.encoder_id, n.target_id, n.reference_id, n.cosine FROM mirpipe.neighbour n
        WHERE n.encoder_id IN (:old, :new)
    ), shared AS MATERIALIZED (
        SELECT t.track_id, t.content_sha256 FROM mirpipe.track t
        WHERE t.state = 'ok'
          AND t.track_id IN (SELECT target_id FROM list UNION SELECT reference_id FROM list)
          AND EXISTS (SELECT FROM mirpipe.embedding v
            WHERE v.encoder_id = :old AND v.track_id = t.track_id)
          AND EXISTS (SELECT FROM mirpipe.embedding v
            WHERE v.encoder_id = :new AND v.track_id = t.track_id)
    ), left_out AS MATERIALIZED (
        SELECT s.track_id AS target_id, s.other_id AS reference_id FROM mirpipe.v_same_recording s
        WHERE NOT :same_recording_counts AND s.track_id IN (SELECT target_id FROM list)
    ), ranked AS (
        SELECT l.encoder_id, l.target_id, t.content_sha256, l.reference_id, row_number() OVER (
            PARTITION BY l.encoder_id, l.target_id ORDER BY l.cosine DESC, r.content_sha256) AS rank
        FROM list l
        JOIN shared t ON t.track_id = l.target_id
        JOIN shared r ON r.track_id = l.reference_id
        WHERE (l.target_id, l.reference_id) NOT IN (SELECT target_id, reference_id FROM left_out)
    ), top AS (
        SELECT * FROM ranked WHERE rank <= :k
    )
    SELECT target_id, old.ids AS old_ids, new.ids AS new_ids
    FROM (
        SELECT target_id, content_sha256, array_agg(reference_id ORDER BY rank) AS ids
        FROM top WHERE encoder_id = :old GROUP BY target_id, content_sha256) old
    JOIN (
        SELECT target_id, array_agg(reference_id ORDER BY rank) AS ids
        FROM top WHERE encoder_id = :new GROUP BY target_id) new USING (target_id)
    ORDER BY content_sha256, target_id
""")
_METRICS = text(f"""
    WITH metric AS MATERIALIZED (
        SELECT * FROM mirpipe.shown_metric
        WHERE spec ->> 'compares' IN ('melodies', 'notes', 'vectors') OR spec ->> 'axis' IS NOT NULL
    )
    SELECT m.name AS metric, m.spec ->> 'encoder' AS encoder, m.is_random AS random,
        CAST(m.spec ->> 'low' AS double precision) AS low,
        CAST(m.spec ->> 'high' AS double precision) AS high,
        array_agg(old_score.value ORDER BY b.place) AS old,
        array_agg(new_score.value ORDER BY b.place) AS new,
        count(*) FILTER (WHERE (old_score.measured AND new_score.measured) IS NOT TRUE)
            AS unmeasured_n
    FROM metric m
    CROSS JOIN ROWS FROM (unnest(
        CAST(:target_ids AS bigint[]), CAST(:old_ids AS bigint[]), CAST(:new_ids AS bigint[])
    )) WITH ORDINALITY b (target_id, old_id, new_id, place)
    CROSS JOIN LATERAL (SELECT b.target_id, b.old_id AS reference_id) old
    CROSS JOIN LATERAL (SELECT b.target_id, b.new_id AS reference_id) new
    {SCORE_OF_PAIR.format(match="old", excerpt="IS NULL")}
    {SCORE_OF_PAIR.format(match="new", excerpt="IS NULL")}
    GROUP BY m.name, m.spec, m.is_random
    ORDER BY m.name
""")


def shared_matches(
    connection: Connection, old: int, new: int, *, k: int, same_recording_counts: bool
) -> SharedAnswers:
    """Return the best matches of two revisions, given by their ids, and how many are in common.

    Only targets and references with vectors by both revisions count. If `same_recording_counts` is
    false, matches that are the same recording as their target are left out. A list that has fewer
    than k shared matches is compared with as many as it has.
    """
    ids = {"old": old, "new": new}
    counts = {row.collection: row.n for row in connection.execute(_COUNTS, ids)}
    parameters = {**ids, "k": k, "same_recording_counts": same_recording_counts}
    rows = connection.execute(_MATCHES, parameters).mappings().all()
    old_lists, new_lists = (
        _lists([row[column] for row in rows], k) for column in ("old_ids", "new_ids")
    )
    return SharedAnswers(
        references_n=counts.get("reference", 0),
        targets_n=counts.get("target", 0),
        target_ids=np.array([row["target_id"] for row in rows], np.int64),
        old_ids=old_lists[:, 0],
        new_ids=new_lists[:, 0],
        common=_common(old_lists, new_lists),
        old_lists=old_lists,
        new_lists=new_lists,
    )


def _lists(rows: Sequence[Sequence[int]], k: int) -> Int64:
    """Return the lists as rows of length k, filled with NO_MATCH."""
    lists = np.full((len(rows), k), NO_MATCH, np.int64)
    for row, ids in zip(lists, rows, strict=True):
        row[: len(ids)] = ids
    return lists


def _common(old: Int64, new: Int64) -> Float64:
    """Return the share of each pair of lists that is in both, relative to the longer list."""
    is_common = (old[:, :, np.newaxis] == new[:, np.newaxis, :]).any(axis=2) & (old != NO_MATCH)
    longer = np.maximum((old != NO_MATCH).sum(axis=1), (new != NO_MATCH).sum(axis=1))
    share: Float64 = is_common.sum(axis=1) / longer
    return share


def metrics_of_matches(connection: Connection, matches: SharedAnswers) -> list[MetricValues]:
    """Return all pair metrics and score axes of the best matches, by the revisions shown now."""
    parameters = {
        "target_ids": matches.target_ids.tolist(),
        "old_ids": matches.old_ids.tolist(),
        "new_ids": matches.new_ids.tolist(),
    }
    return [metric_values(row) for row in connection.execute(_METRICS, parameters)]

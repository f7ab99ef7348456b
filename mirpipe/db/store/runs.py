"""Runs: what readers are served, written only where it changed, and what each run found."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.records import Float64

_SWITCH = text("""
    INSERT INTO mirpipe.serving_revision AS s (name, encoder_id)
    SELECT e.name, e.encoder_id FROM mirpipe.encoder e
    WHERE e.wanted AND (
        NOT EXISTS (SELECT FROM mirpipe.serving_revision o WHERE o.name = e.name)
        OR NOT EXISTS (
            SELECT FROM mirpipe.track t
            WHERE t.state = 'ok'
              AND NOT EXISTS (
                SELECT FROM mirpipe.embedding v
                WHERE v.encoder_id = e.encoder_id AND v.track_id = t.track_id)
              AND NOT EXISTS (
                SELECT FROM mirpipe.failure f
                WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = t.track_id))
        AND NOT EXISTS (
            SELECT FROM mirpipe.embedding_change c WHERE c.encoder_id = e.encoder_id))
      AND EXISTS (SELECT FROM mirpipe.neighbour_state n WHERE n.encoder_id = e.encoder_id)
    ON CONFLICT (name) DO UPDATE SET encoder_id = excluded.encoder_id
    WHERE s.encoder_id <> excluded.encoder_id
""")
_SERVING = text("SELECT encoder_id, name FROM mirpipe.serving_revision ORDER BY name")

_DESIRED = text("""
    CREATE TEMPORARY TABLE desired ON COMMIT DROP AS
    SELECT n.encoder_id, n.target_id, n.rank, n.reference_id, n.cosine
    FROM mirpipe.top_neighbour n JOIN mirpipe.serving_revision USING (encoder_id)
""")
# The words at its start say what a run holds: one that holds more is made anew.
_STATE = text("""
    SELECT encode(sha256(convert_to(concat_ws('|', 'intervals, comparisons, rankings, sets',
        (SELECT string_agg(collection || encode(content_sha256, 'hex') || state || title || labels,
            ',' ORDER BY collection, content_sha256) FROM mirpipe.track),
        (SELECT string_agg(e.name || e.revision, ',' ORDER BY e.name)
            FROM mirpipe.serving_revision s JOIN mirpipe.encoder e USING (encoder_id)),
        (SELECT string_agg(name || revision, ',' ORDER BY name) FROM mirpipe.shown_metric),
        (SELECT md5(string_agg(m.encoder_id || ' ' || m.track_id, ','
            ORDER BY m.encoder_id, m.track_id))
            FROM mirpipe.background_member m JOIN mirpipe.serving_revision USING (encoder_id)),
        (SELECT md5(string_agg(n.encoder_id || ' ' || n.target_id, ','
            ORDER BY n.encoder_id, n.target_id))
            FROM mirpipe.neighbour_state n JOIN mirpipe.serving_revision USING (encoder_id)),
        (SELECT md5(string_agg(concat_ws(' ', d.encoder_id, d.target_id, d.rank, d.reference_id,
            d.cosine), ',' ORDER BY d.encoder_id, d.target_id, d.rank)) FROM desired d),
        (SELECT md5(string_agg(concat_ws(' ', m.name, p.target_id, p.reference_id, p.value,
            p.reason), ',' ORDER BY m.name, p.target_id, p.reference_id))
            FROM (SELECT DISTINCT target_id, reference_id FROM desired) d
            JOIN mirpipe.pair_score p USING (target_id, reference_id)
            JOIN mirpipe.shown_metric m USING (metric_id)),
        (SELECT md5(string_agg(concat_ws(' ', d.encoder_id, d.target_id, m.name, s.value,
            s.reason), ',' ORDER BY d.encoder_id, d.target_id, m.name))
            FROM desired d JOIN mirpipe.shown_metric m ON m.spec ->> 'axis' IS NOT NULL
            LEFT JOIN mirpipe.track_score s
                ON s.metric_id = m.metric_id AND s.track_id = d.reference_id
            WHERE d.rank = 1),
        (SELECT md5(string_agg(concat_ws(' ', generation_id, metric, value, reason), ','
            ORDER BY generation_id, metric)) FROM mirpipe.v_generation_score)
    ), 'UTF8')), 'hex')
""")
_LAST = text("SELECT run_id, state_digest FROM mirpipe.run ORDER BY run_id DESC LIMIT 1")
_CONFIRM = text("UPDATE mirpipe.run SET confirmed_at = clock_timestamp() WHERE run_id = :run_id")
_INSERT = text("""
    INSERT INTO mirpipe.run (trigger, state_digest, library)
    SELECT :trigger, :digest, coalesce(jsonb_object_agg(name, tracks), '{}') FROM (
        SELECT collection || ' ' || state AS name, count(*) AS tracks
        FROM mirpipe.track GROUP BY collection, state) counted
    RETURNING run_id
""")

_CHANGES = text("""
    INSERT INTO mirpipe.neighbour_change
        (run_id, encoder_name, target_id, previous_reference_id, reference_id, cause)
    SELECT :run_id, coalesce(o.name, n.name), coalesce(o.target_id, n.target_id),
        o.reference_id, n.reference_id,
        CASE WHEN o.reference_id IS NULL THEN 'first answer'
            WHEN t.state <> 'ok' THEN 'removed target'
            WHEN o.encoder_id <> n.encoder_id THEN 're-embedding'
            WHEN n.reference_id IS NULL OR r.state <> 'ok' THEN 'removed reference'
            ELSE 'new reference' END
    FROM (SELECT e.name, s.* FROM mirpipe.served_neighbour s JOIN mirpipe.encoder e
            USING (encoder_id) WHERE s.to_run IS NULL AND s.rank = 1) o
    FULL JOIN (SELECT e.name, d.* FROM desired d JOIN mirpipe.encoder e
            USING (encoder_id) WHERE d.rank = 1) n
        ON n.name = o.name AND n.target_id = o.target_id
    JOIN mirpipe.track t ON t.track_id = coalesce(o.target_id, n.target_id)
    LEFT JOIN mirpipe.track r ON r.track_id = o.reference_id
    WHERE o.reference_id IS DISTINCT FROM n.reference_id
""")
_CLOSE = text("""
    UPDATE mirpipe.served_neighbour s SET to_run = :run_id
    WHERE s.to_run IS NULL AND NOT EXISTS (
        SELECT FROM desired d WHERE (d.encoder_id, d.target_id, d.rank, d.reference_id, d.cosine)
            = (s.encoder_id, s.target_id, s.rank, s.reference_id, s.cosine))
""")
_OPEN = text("""
    INSERT INTO mirpipe.served_neighbour
        (encoder_id, target_id, rank, reference_id, cosine, from_run)
    SELECT d.encoder_id, d.target_id, d.rank, d.reference_id, d.cosine, :run_id FROM desired d
    WHERE NOT EXISTS (
        SELECT FROM mirpipe.served_neighbour s
        WHERE s.to_run IS NULL AND (s.encoder_id, s.target_id, s.rank)
            = (d.encoder_id, d.target_id, d.rank))
    ORDER BY 1, 2, 3
""")
_ENCODER = text("""
    INSERT INTO mirpipe.run_encoder
        (run_id, encoder_id, references_n, targets_n, background_pairs, background_cosines)
    VALUES (:run_id, :encoder_id, :references_n, :targets_n, :pairs, :cosines)
""")


def switch_revisions(connection: Connection) -> None:
    """Lets every wanted revision answer that is complete, or is the first of its name."""
    connection.execute(_SWITCH)


def serving(connection: Connection) -> dict[int, str]:
    """Encoder id → name of the revisions that answer."""
    return {row.encoder_id: row.name for row in connection.execute(_SERVING)}


def stage_answers(connection: Connection) -> str:
    """Prepares what ought to be served in this transaction and returns the digest of it all."""
    connection.execute(_DESIRED)
    return str(connection.execute(_STATE).scalar_one())


def last(connection: Connection) -> tuple[int, str] | None:
    """Id and digest of the latest run."""
    row = connection.execute(_LAST).one_or_none()
    return None if row is None else (row.run_id, row.state_digest)


def confirm(connection: Connection, run_id: int) -> None:
    """Notes that all is still as this run found it."""
    connection.execute(_CONFIRM, {"run_id": run_id})


def insert(connection: Connection, *, trigger: str, digest: str) -> int:
    """Opens a run with the staged answers: what changed, and from now on what is served."""
    run_id = int(connection.execute(_INSERT, {"trigger": trigger, "digest": digest}).scalar_one())
    for statement in (_CHANGES, _CLOSE, _OPEN):
        connection.execute(statement, {"run_id": run_id})
    return run_id


def insert_background(
    connection: Connection,
    run_id: int,
    encoder_id: int,
    *,
    counts: Mapping[str, int],
    cosines: Float64,
    targets: Mapping[str, Any],
) -> None:
    """Stores the scales of percentile (ascending `cosines`) and, per target, of z."""
    connection.execute(
        _ENCODER,
        {"run_id": run_id, "encoder_id": encoder_id, "cosines": cosines.tolist(), **counts},
    )
    n = len(targets["target_id"])
    binary_copy.copy_rows(
        connection,
        "mirpipe.run_target",
        ["run_id", "encoder_id", *targets],
        [[run_id] * n, [encoder_id] * n, *targets.values()],
    )


def library(connection: Connection, run_id: int) -> dict[str, int]:
    """What the library looked like: tracks by collection and state."""
    found = connection.execute(
        text("SELECT library FROM mirpipe.run WHERE run_id = :run_id"), {"run_id": run_id}
    ).scalar_one()
    return dict(json.loads(found) if isinstance(found, str) else found)

"""Publishes the current matches with a run: stores the shown matches, and what changed.

A row of `served_neighbour` is valid from one run until another, so matches that stay the same are
not written again.
"""

from sqlalchemy import Connection, text

CURRENT_MATCHES = """
    SELECT n.encoder_id, n.target_id, n.rank, n.reference_id, n.cosine, s.relation
    FROM mirpipe.top_neighbour n JOIN mirpipe.serving_revision USING (encoder_id)
    LEFT JOIN (
        SELECT track_id, other_id, min(relation) AS relation FROM mirpipe.v_same_recording
        GROUP BY track_id, other_id) s
        ON (s.track_id, s.other_id) = (n.target_id, n.reference_id)
"""
"""SQL for the matches of the active revisions that the next report publishes."""

_PREPARE = text(f"""
    CREATE TEMPORARY TABLE desired ON COMMIT DROP AS
    SELECT m.*, CASE WHEN NOT m.is_left_out THEN CAST(m.rank - count(*)
            FILTER (WHERE m.is_left_out) OVER (PARTITION BY m.encoder_id, m.target_id
            ORDER BY m.rank) AS smallint) END AS counted_rank
    FROM (SELECT *, relation IS NOT NULL AND NOT :same_recording_counts AS is_left_out
        FROM ({CURRENT_MATCHES}) c) m
""")
_RECORD_CHANGES = text("""
    INSERT INTO mirpipe.neighbour_change
        (run_id, encoder_name, target_id, previous_reference_id, reference_id, cause)
    SELECT :run_id, coalesce(o.name, n.name), coalesce(o.target_id, n.target_id),
        o.reference_id, n.reference_id,
        CASE WHEN o.reference_id IS NULL THEN 'first match'
            WHEN t.state <> 'ok' THEN 'removed target'
            WHEN o.encoder_id <> n.encoder_id THEN 'new encoder revision'
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
# A title that was changed and changed back is not a change.
_RECORD_RETAGGED = text("""
    WITH published AS (
        UPDATE mirpipe.label_change SET run_id = :run_id WHERE run_id IS NULL
        RETURNING label_change_id, track_id, title, labels
    ), retagged AS (
        SELECT t.track_id FROM (SELECT DISTINCT ON (track_id) * FROM published
            ORDER BY track_id, label_change_id) p
        JOIN mirpipe.track t USING (track_id)
        WHERE (p.title, p.labels) IS DISTINCT FROM (t.title, t.labels))
    INSERT INTO mirpipe.neighbour_change
        (run_id, encoder_name, target_id, previous_reference_id, reference_id, cause)
    SELECT :run_id, e.name, d.target_id, d.reference_id, d.reference_id, 'retagged'
    FROM desired d JOIN mirpipe.encoder e USING (encoder_id)
    WHERE d.rank = 1
        AND EXISTS (SELECT FROM retagged r WHERE r.track_id IN (d.target_id, d.reference_id))
    ON CONFLICT DO NOTHING
""")
_END_OLD = text("""
    UPDATE mirpipe.served_neighbour s SET to_run = :run_id
    WHERE s.to_run IS NULL AND NOT EXISTS (
        SELECT FROM desired d WHERE (d.encoder_id, d.target_id, d.rank, d.reference_id, d.cosine)
            = (s.encoder_id, s.target_id, s.rank, s.reference_id, s.cosine)
            AND (d.relation, d.counted_rank) IS NOT DISTINCT FROM (s.relation, s.counted_rank))
""")
_INSERT_NEW = text("""
    INSERT INTO mirpipe.served_neighbour
        (encoder_id, target_id, rank, reference_id, cosine, relation, counted_rank, from_run)
    SELECT d.encoder_id, d.target_id, d.rank, d.reference_id, d.cosine, d.relation,
        d.counted_rank, :run_id FROM desired d
    WHERE NOT EXISTS (
        SELECT FROM mirpipe.served_neighbour s
        WHERE s.to_run IS NULL AND (s.encoder_id, s.target_id, s.rank)
            = (d.encoder_id, d.target_id, d.rank))
    ORDER BY 1, 2, 3
""")


def prepare_matches(connection: Connection, *, same_recording_counts: bool) -> None:
    """Collect the current matches of the active revisions in the temporary table `desired`.

    If `same_recording_counts` is false, matches that are the same recording as their target have no
    rank among those that count. The table exists until the transaction ends.
    """
    connection.execute(_PREPARE, {"same_recording_counts": same_recording_counts})


def publish_matches(connection: Connection, run_id: int) -> None:
    """Show the prepared matches from this run on, and record the changed best matches.

    A best match that stays the same, but whose title or labels have changed, is also recorded.
    """
    for statement in (_RECORD_CHANGES, _RECORD_RETAGGED, _END_OLD, _INSERT_NEW):
        connection.execute(statement, {"run_id": run_id})

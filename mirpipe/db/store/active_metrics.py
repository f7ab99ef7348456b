"""Makes a new metric revision active when it has all scores that the old revision has.

Until then, the scores of the old revision are shown. Otherwise, a new revision would take the place
of complete results while most of its scores are still missing. A metric that compares the vectors
of an encoder also waits until this encoder is active. The text score is complete when the encoder
has a vector of each caption that the old encoder has a vector of.
"""

from sqlalchemy import Connection, text

_ACTIVATE_FIRST = text("""
    INSERT INTO mirpipe.serving_metric (name, metric_id)
    SELECT name, metric_id FROM mirpipe.metric WHERE wanted
    ON CONFLICT (name) DO NOTHING
""")
# Planning the query of complete revisions takes 30 ms, and few runs have a new revision.
_HAS_NEW = text("""
    SELECT EXISTS (
        SELECT FROM mirpipe.metric m JOIN mirpipe.serving_metric a USING (name)
        WHERE m.wanted AND a.metric_id <> m.metric_id)
""")
_ACTIVATE_COMPLETE = text("""
    WITH rejected AS (
        SELECT f.track_id FROM mirpipe.failure f
        JOIN mirpipe.metric k ON k.name = 'features' AND k.wanted AND k.revision = f.revision
        WHERE f.stage = 'analyse' AND NOT f.retry
    )
    UPDATE mirpipe.serving_metric s SET metric_id = m.metric_id
    FROM mirpipe.metric m
    JOIN mirpipe.serving_metric a ON a.name = m.name
    JOIN mirpipe.metric b ON b.metric_id = a.metric_id
    WHERE s.name = m.name AND m.wanted AND a.metric_id <> m.metric_id
      AND (m.spec ->> 'encoder' IS NULL OR EXISTS (
        SELECT FROM mirpipe.serving_revision JOIN mirpipe.encoder e USING (encoder_id)
        WHERE e.name = m.spec ->> 'encoder' AND e.revision = m.spec ->> 'encoder_revision'))
      AND NOT EXISTS (
        SELECT FROM mirpipe.pending_caption_embedding p
        JOIN mirpipe.caption_embedding v USING (caption_id)
        JOIN mirpipe.encoder e ON e.encoder_id = v.encoder_id
        WHERE m.spec ->> 'compares' = 'caption'
          AND p.name = m.spec ->> 'encoder' AND p.revision = m.spec ->> 'encoder_revision'
          AND e.name = b.spec ->> 'encoder' AND e.revision = b.spec ->> 'encoder_revision')
      AND NOT EXISTS (
        SELECT FROM mirpipe.wanted_pair p JOIN mirpipe.pair_score o
            ON o.target_id = p.target_id AND o.reference_id = p.reference_id
            AND o.excerpt_id IS NOT DISTINCT FROM p.excerpt_id
        WHERE o.metric_id = a.metric_id AND NOT EXISTS (
            SELECT FROM mirpipe.pair_score n
            WHERE n.metric_id = m.metric_id AND n.target_id = p.target_id
              AND n.reference_id = p.reference_id
              AND n.excerpt_id IS NOT DISTINCT FROM p.excerpt_id)
          AND NOT EXISTS (
            SELECT FROM rejected r WHERE r.track_id IN (p.target_id, p.reference_id)))
      AND NOT EXISTS (
        SELECT FROM mirpipe.melody o JOIN mirpipe.track t USING (track_id)
        WHERE o.metric_id = a.metric_id AND t.state = 'ok'
          AND NOT EXISTS (
            SELECT FROM mirpipe.melody n
            WHERE n.metric_id = m.metric_id AND n.track_id = o.track_id)
          AND NOT EXISTS (SELECT FROM rejected r WHERE r.track_id = o.track_id))
      AND NOT EXISTS (
        SELECT FROM mirpipe.track_score o JOIN mirpipe.track t USING (track_id)
        WHERE o.metric_id = a.metric_id AND t.state = 'ok' AND NOT EXISTS (
            SELECT FROM mirpipe.track_score n
            WHERE n.metric_id = m.metric_id AND n.track_id = o.track_id)
          AND NOT EXISTS (
            SELECT FROM mirpipe.failure f
            WHERE f.stage = 'score' AND f.revision = m.revision AND f.track_id = o.track_id
              AND NOT f.retry))
""")


def activate_complete_metrics(connection: Connection) -> None:
    """Make each configured revision active that has all scores which the active one has.

    Only present matches, clips and usable tracks count. Tracks that the new revision rejects do not
    count. A revision also becomes active if its metric has no active revision.
    """
    connection.execute(_ACTIVATE_FIRST)
    if connection.execute(_HAS_NEW).scalar_one():
        connection.execute(_ACTIVATE_COMPLETE)

SET LOCAL search_path = mirpipe, public;

-- The track is queued for every maintained encoder, because an encoder that is embedding the track
-- at this moment has a row that this transaction cannot see yet. The encoders are locked, so that
-- none of them can become wanted before this transaction ends.
CREATE OR REPLACE FUNCTION queue_state_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM before b JOIN after a USING (track_id) WHERE (a.state = 'ok') <> (b.state = 'ok'))
    THEN
        RETURN NULL;
    END IF;
    PERFORM FROM encoder ORDER BY encoder_id FOR SHARE;
    INSERT INTO embedding_change AS c (encoder_id, track_id)
    SELECT e.encoder_id, a.track_id
    FROM encoder e CROSS JOIN before b JOIN after a USING (track_id)
    WHERE (a.state = 'ok') <> (b.state = 'ok')
      AND (e.wanted OR EXISTS (SELECT FROM serving_revision s WHERE s.encoder_id = e.encoder_id))
    ORDER BY e.encoder_id, a.track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = c.previous;
    RETURN NULL;
END $$;

-- Queues the tracks that became usable or unusable while the encoder was not wanted: its lists and
-- sums contain a track that is not searchable, or do not contain a searchable one.
CREATE FUNCTION queue_missed_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    WITH searchable AS (
        SELECT e.track_id FROM embedding e JOIN track t USING (track_id)
        WHERE e.encoder_id = NEW.encoder_id AND t.state = 'ok' AND t.collection <> 'generated'
    ), included AS (
        SELECT track_id FROM background_member WHERE encoder_id = NEW.encoder_id
        UNION ALL SELECT target_id FROM neighbour_state WHERE encoder_id = NEW.encoder_id
    ), missed AS (
        (TABLE searchable EXCEPT TABLE included) UNION ALL (TABLE included EXCEPT TABLE searchable)
    )
    INSERT INTO embedding_change AS c (encoder_id, track_id)
    SELECT NEW.encoder_id, track_id FROM missed ORDER BY track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = c.previous;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION queue_missed_changes FROM PUBLIC;
CREATE TRIGGER encoder_wanted_again AFTER UPDATE OF wanted ON encoder FOR EACH ROW
    WHEN (NEW.wanted AND NOT OLD.wanted) EXECUTE FUNCTION queue_missed_changes();

-- Until now, readers saw the metric of the active encoder, whichever revision was active.
UPDATE serving_metric s SET metric_id = shown.metric_id
FROM (
    SELECT DISTINCT ON (m.name) m.name, m.metric_id
    FROM metric m
    JOIN encoder e ON e.name = m.spec ->> 'encoder' AND e.revision = m.spec ->> 'encoder_revision'
    JOIN serving_revision USING (encoder_id)
    ORDER BY m.name, EXISTS (SELECT FROM serving_metric a WHERE a.metric_id = m.metric_id) DESC,
        m.wanted DESC, m.metric_id DESC
) shown
WHERE shown.name = s.name AND shown.metric_id <> s.metric_id;

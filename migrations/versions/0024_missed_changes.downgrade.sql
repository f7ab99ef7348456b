SET LOCAL search_path = mirpipe, public;

DROP TRIGGER encoder_wanted_again ON encoder;
DROP FUNCTION queue_missed_changes;

-- The track is queued for every encoder, because an encoder that is embedding the track at this
-- moment has a row that this transaction cannot see yet.
CREATE OR REPLACE FUNCTION queue_state_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO embedding_change AS c (encoder_id, track_id)
    SELECT e.encoder_id, a.track_id
    FROM encoder e CROSS JOIN before b JOIN after a USING (track_id)
    WHERE (a.state = 'ok') <> (b.state = 'ok')
    ORDER BY e.encoder_id, a.track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = c.previous;
    RETURN NULL;
END $$;

-- The older version has no other way to find the changes that were not queued.
WITH searchable AS (
    SELECT e.encoder_id, e.track_id FROM embedding e JOIN track t USING (track_id)
    WHERE t.state = 'ok' AND t.collection <> 'generated'
), included AS (
    SELECT encoder_id, track_id FROM background_member
    UNION ALL SELECT encoder_id, target_id FROM neighbour_state
), missed AS (
    (TABLE searchable EXCEPT TABLE included) UNION ALL (TABLE included EXCEPT TABLE searchable)
)
INSERT INTO embedding_change (encoder_id, track_id)
SELECT encoder_id, track_id FROM missed ORDER BY encoder_id, track_id
ON CONFLICT (encoder_id, track_id) DO NOTHING;

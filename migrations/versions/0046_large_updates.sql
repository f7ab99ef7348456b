SET LOCAL search_path = mirpipe, public;

-- For EXISTS, Postgres expects to find a row soon, and compared each updated track with each other
-- one. A plan that PL/pgSQL keeps from an update of one track does so, too. EXECUTE makes a plan for
-- the size of this update.
CREATE OR REPLACE FUNCTION queue_state_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
DECLARE
    v_changed bigint[];
BEGIN
    EXECUTE 'SELECT array_agg(track_id) FROM before b JOIN after a USING (track_id)
        WHERE (a.state = ''ok'') <> (b.state = ''ok'') OR a.content_sha256 <> b.content_sha256'
        INTO v_changed;
    IF v_changed IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM encoder ORDER BY encoder_id FOR SHARE;
    INSERT INTO embedding_change AS c (encoder_id, track_id)
    SELECT e.encoder_id, t.track_id
    FROM encoder e CROSS JOIN unnest(v_changed) t (track_id)
    WHERE e.wanted OR EXISTS (SELECT FROM serving_revision s WHERE s.encoder_id = e.encoder_id)
    ORDER BY e.encoder_id, t.track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = c.previous;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_usable_tracks() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    EXECUTE 'INSERT INTO unsettled_track
        SELECT track_id FROM before b JOIN after a USING (track_id)
        WHERE a.state = ''ok'' AND b.state <> ''ok''';
    RETURN NULL;
END $$;

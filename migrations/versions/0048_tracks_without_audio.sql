SET LOCAL search_path = mirpipe, public;

ALTER TABLE track ADD has_audio boolean NOT NULL DEFAULT true,
    DROP CONSTRAINT track_labels_from_check,
    ADD CHECK (labels_from IN ('manifest', 'tags', 'vectors'));
-- A track whose audio arrives has pending work, as a track that returns has.
CREATE OR REPLACE FUNCTION note_usable_tracks() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    EXECUTE 'INSERT INTO unsettled_track
        SELECT track_id FROM before b JOIN after a USING (track_id)
        WHERE a.state = ''ok'' AND a.has_audio AND NOT (b.state = ''ok'' AND b.has_audio)';
    RETURN NULL;
END $$;

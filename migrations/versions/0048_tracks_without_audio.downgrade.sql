SET LOCAL search_path = mirpipe, public;

-- Earlier versions consider a track without a file as gone.
UPDATE track SET state = 'gone', changed_at = now() WHERE state = 'ok' AND NOT has_audio;
UPDATE track SET labels_from = 'tags' WHERE labels_from = 'vectors';
CREATE OR REPLACE FUNCTION note_usable_tracks() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    EXECUTE 'INSERT INTO unsettled_track
        SELECT track_id FROM before b JOIN after a USING (track_id)
        WHERE a.state = ''ok'' AND b.state <> ''ok''';
    RETURN NULL;
END $$;
ALTER TABLE track DROP has_audio, DROP CONSTRAINT track_labels_from_check,
    ADD CHECK (labels_from IN ('manifest', 'tags'));

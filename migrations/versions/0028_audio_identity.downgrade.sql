SET LOCAL search_path = mirpipe, public;

DELETE FROM neighbour_change WHERE cause = 'retagged';
ALTER TABLE neighbour_change DROP CONSTRAINT neighbour_change_cause_check;
ALTER TABLE neighbour_change ADD CONSTRAINT neighbour_change_cause_check
    CHECK (cause IN ('first match', 'new reference', 'removed reference', 'new encoder revision', 'removed target'));
DROP TRIGGER track_relabelled ON track;
DROP FUNCTION record_label_change;
DROP TABLE label_change;

-- A track that has lost its files to an older track can have the hash of one of these files.
UPDATE track t SET content_sha256 = sha256(t.content_sha256 || int8send(t.track_id))
WHERE t.content_kind = 'file' AND EXISTS (SELECT FROM track_file f
    WHERE f.collection = t.collection AND f.file_sha256 = t.content_sha256
        AND f.track_id <> t.track_id);
-- The trigger queues every track whose content hash changes.
UPDATE track t SET content_sha256 = f.file_sha256
FROM (SELECT DISTINCT ON (track_id) track_id, file_sha256 FROM track_file
    WHERE file_sha256 IS NOT NULL ORDER BY track_id, gone_at NULLS FIRST, path) f
WHERE f.track_id = t.track_id AND t.content_kind <> 'file';

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

ALTER TABLE track DROP content_kind;
ALTER TABLE track_file DROP ctime_ns, DROP file_sha256, DROP manifest_row;

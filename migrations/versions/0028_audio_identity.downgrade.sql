SET LOCAL search_path = mirpipe, public;

DELETE FROM neighbour_change WHERE cause = 'retagged';
ALTER TABLE neighbour_change DROP CONSTRAINT neighbour_change_cause_check;
ALTER TABLE neighbour_change ADD CONSTRAINT neighbour_change_cause_check
    CHECK (cause IN ('first match', 'new reference', 'removed reference', 'new encoder revision', 'removed target'));
COMMENT ON TABLE neighbour_change IS 'Best matches that changed in a run, and why they changed.';
DROP TRIGGER track_relabelled ON track;
DROP FUNCTION record_label_change;
DROP TABLE label_change;

-- The trigger queues every track whose content hash changes.
UPDATE track t SET content_sha256 = f.file_sha256
FROM (SELECT DISTINCT ON (track_id) track_id, file_sha256 FROM track_file
    WHERE file_sha256 IS NOT NULL ORDER BY track_id, gone_at NULLS FIRST, path) f
WHERE f.track_id = t.track_id AND t.content_kind <> 'file';

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
COMMENT ON TABLE embedding_change IS 'Vectors that were added, removed or changed, or whose track became usable or unusable, since retrieve last ran.';

ALTER TABLE track DROP content_kind;
ALTER TABLE track_file DROP ctime_ns, DROP file_sha256, DROP manifest_row;
COMMENT ON TABLE track IS 'Tracks: one row per distinct content in a collection. The SHA-256 of the file''s bytes identifies the content.';
COMMENT ON COLUMN track_file.mtime_ns IS 'Modification time of the file, in nanoseconds since 1970. A file whose size and modification time are unchanged is not read again.';
COMMENT ON COLUMN track.labels_from IS 'Where the title and the labels come from: manifest, or tags (without tags, the title is the file name). NULL for clips, and for tracks that were added before revision 0026, whose labels only a manifest changes.';

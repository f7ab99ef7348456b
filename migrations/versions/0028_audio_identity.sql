SET LOCAL search_path = mirpipe, public;

ALTER TABLE track_file ADD ctime_ns bigint;
COMMENT ON COLUMN track_file.ctime_ns IS 'Time of the last change of the file''s content or properties, in nanoseconds since 1970. A file whose size and both times are unchanged is not read again. NULL if the next ingest has to read the file.';

-- Until now, the SHA-256 of the file's bytes identified a track. Ingest replaces it by the hash of
-- the audio when it reads the file for the first time after this migration.
ALTER TABLE track ADD content_kind text NOT NULL DEFAULT 'file'
    CHECK (content_kind IN ('samples', 'packets', 'file'));
COMMENT ON COLUMN track.content_kind IS 'What the content hash identifies. samples: decoded samples, for lossless codecs. packets: coded packets, for lossy codecs. file: the bytes of the file, for clips, and for tracks whose audio has not been identified.';

ALTER TABLE track_file ADD file_sha256 bytea CHECK (octet_length(file_sha256) = 32);
COMMENT ON COLUMN track_file.file_sha256 IS 'SHA-256 of the file''s bytes. NULL if the file could not be read.';
UPDATE track_file f SET file_sha256 = t.content_sha256 FROM track t WHERE t.track_id = f.track_id;
CREATE INDEX ON track_file (file_sha256);

-- Content hashes break ties in neighbour lists, and a list never contains its target's own content.
CREATE OR REPLACE FUNCTION queue_state_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM before b JOIN after a USING (track_id)
        WHERE (a.state = 'ok') <> (b.state = 'ok') OR a.content_sha256 <> b.content_sha256)
    THEN
        RETURN NULL;
    END IF;
    PERFORM FROM encoder ORDER BY encoder_id FOR SHARE;
    INSERT INTO embedding_change AS c (encoder_id, track_id)
    SELECT e.encoder_id, a.track_id
    FROM encoder e CROSS JOIN before b JOIN after a USING (track_id)
    WHERE ((a.state = 'ok') <> (b.state = 'ok') OR a.content_sha256 <> b.content_sha256)
      AND (e.wanted OR EXISTS (SELECT FROM serving_revision s WHERE s.encoder_id = e.encoder_id))
    ORDER BY e.encoder_id, a.track_id
    ON CONFLICT (encoder_id, track_id) DO UPDATE SET previous = c.previous;
    RETURN NULL;
END $$;

CREATE TABLE label_change (
    label_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    track_id bigint NOT NULL REFERENCES track ON DELETE CASCADE,
    title text NOT NULL,
    labels jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    run_id bigint REFERENCES run
);
CREATE INDEX ON label_change (track_id, run_id);
CREATE INDEX ON label_change (label_change_id) WHERE run_id IS NULL;
COMMENT ON TABLE label_change IS 'Titles and labels that tracks had before they were changed, by other tags or by the manifest.';
COMMENT ON COLUMN label_change.label_change_id IS 'Key of the change. Later changes have higher keys.';
COMMENT ON COLUMN label_change.title IS 'Title before the change.';
COMMENT ON COLUMN label_change.labels IS 'Labels before the change.';
COMMENT ON COLUMN label_change.changed_at IS 'Time of the change.';
COMMENT ON COLUMN label_change.run_id IS 'First run with the new title and labels. NULL until the next run.';
GRANT SELECT ON label_change TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON label_change TO mirpipe_app;

CREATE FUNCTION record_label_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO label_change (track_id, title, labels) VALUES (OLD.track_id, OLD.title, OLD.labels);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION record_label_change FROM PUBLIC;
-- A track that was added in the same transaction has no title or labels before the change.
CREATE TRIGGER track_relabelled AFTER UPDATE OF title, labels ON track FOR EACH ROW
    WHEN ((OLD.title, OLD.labels) IS DISTINCT FROM (NEW.title, NEW.labels) AND OLD.first_seen < now())
    EXECUTE FUNCTION record_label_change();

ALTER TABLE neighbour_change DROP CONSTRAINT neighbour_change_cause_check;
ALTER TABLE neighbour_change ADD CONSTRAINT neighbour_change_cause_check
    CHECK (cause IN ('first match', 'new reference', 'removed reference', 'new encoder revision', 'removed target', 'retagged'));

ALTER TABLE track_file ADD manifest_row jsonb;
COMMENT ON COLUMN track_file.manifest_row IS 'Title and labels in the file''s row of the manifest. NULL if the manifest had no row. is_inherited: the values were stored by an earlier version, and ingest has not yet decided whether they come from tags.';
UPDATE track_file f SET manifest_row =
    jsonb_build_object('title', t.title, 'labels', t.labels, 'is_inherited', true)
FROM track t WHERE t.track_id = f.track_id AND f.collection <> 'generated'
    AND t.labels_from IS DISTINCT FROM 'tags';

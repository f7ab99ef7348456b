SET LOCAL search_path = mirpipe, public;

-- The label genre is the text that people read and edit. The set is derived from it, so that both
-- can never differ.
ALTER TABLE track ADD genres text[] NOT NULL GENERATED ALWAYS AS (
    array_remove(regexp_split_to_array(btrim(coalesce(labels ->> 'genre', '')), '\s*;\s*'), '')
) STORED;
CREATE INDEX ON track USING gin (genres);
COMMENT ON COLUMN track.genres IS 'Genres of the track: the parts of the label genre, which are separated by semicolons. Empty if the track has no genre.';

-- Labels from earlier versions can contain separators in other forms, and a genre twice.
UPDATE track t SET changed_at = now(), labels = CASE WHEN cardinality(g.genres) = 0
    THEN t.labels - 'genre'
    ELSE jsonb_set(t.labels, '{genre}', to_jsonb(array_to_string(g.genres, '; '))) END
FROM (
    SELECT u.track_id, ARRAY(
        SELECT min(p.genre) FROM unnest(u.genres) WITH ORDINALITY AS p (genre, place)
        GROUP BY lower(p.genre) ORDER BY min(p.place)) AS genres
    FROM track u WHERE u.labels ? 'genre') g
WHERE g.track_id = t.track_id
    AND t.labels ->> 'genre' IS DISTINCT FROM array_to_string(g.genres, '; ');

ALTER TABLE track ADD labels_from text CHECK (labels_from IN ('manifest', 'tags'));
COMMENT ON COLUMN track.labels_from IS 'Where the title and the labels come from: manifest, tags (without tags, the title is the file name), or vectors (a file of vectors). NULL for clips, and for tracks from before revision 0026 whose tags have not been read yet.';

ALTER TABLE track_file ADD tags jsonb, ADD undecoded_tags jsonb, ADD tag_encoding text,
    ADD tag_encoding_guessed boolean,
    ADD CHECK ((tag_encoding IS NULL) = (tag_encoding_guessed IS NULL));
CREATE INDEX ON track_file (collection, path) WHERE undecoded_tags IS NOT NULL;
COMMENT ON COLUMN track_file.tags IS 'Values of the file''s tags whose encoding is certain: a list of texts for each field. NULL if the tags were not read.';
COMMENT ON COLUMN track_file.undecoded_tags IS 'Values whose encoding the file does not state reliably: for each field, a list of texts with one Latin-1 character per byte. NULL if there are none.';
COMMENT ON COLUMN track_file.tag_encoding IS 'Encoding by which undecoded_tags are decoded for the labels. NULL if there are none, or until the end of the ingest.';
COMMENT ON COLUMN track_file.tag_encoding_guessed IS 'true if the encoding was guessed from the tags of all files in the folder. false if it was set by `mirpipe tags`, or is that of Western languages, which the tags state.';

CREATE TABLE folder_encoding (
    folder bytea PRIMARY KEY,
    folder_text text NOT NULL,
    encoding text NOT NULL
);
COMMENT ON TABLE folder_encoding IS 'Encodings of tags that a user has set by `mirpipe tags`. A setting applies to the folder and its subfolders; the nearest folder takes precedence.';
COMMENT ON COLUMN folder_encoding.folder IS 'Absolute path, stored as the bytes that the file system returned.';
COMMENT ON COLUMN folder_encoding.folder_text IS 'Path as text. Bytes that cannot be decoded are escaped.';
COMMENT ON COLUMN folder_encoding.encoding IS 'Name of the encoding in Python, such as gb18030.';
GRANT SELECT ON folder_encoding TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON folder_encoding TO mirpipe_app;

CREATE OR REPLACE VIEW v_library AS
SELECT t.track_id, t.collection, t.title, t.state, t.reason, t.labels,
    t.labels ->> 'genre' AS genre, t.labels ->> 'instrument' AS instrument,
    t.seconds, t.sample_rate, t.channels, f.format, t.rms_dbfs,
    m.voiced_fraction, m.voiced,
    f.path_text AS path, f.files, encode(t.content_sha256, 'hex') AS content_sha256, t.first_seen,
    t.genres, t.labels_from,
    CASE WHEN t.labels_from = 'tags' THEN f.tag_encoding END AS tag_encoding,
    CASE WHEN t.labels_from = 'tags' THEN f.tag_encoding_guessed END AS tag_encoding_guessed,
    t.silent_share, t.silent_parts, t.sounding_rms_dbfs, t.has_audio
FROM track t
LEFT JOIN shown_metric mm ON mm.name = 'melody'
LEFT JOIN melody m ON m.metric_id = mm.metric_id AND m.track_id = t.track_id
LEFT JOIN LATERAL (
    SELECT min(path_text) AS path_text, count(*) AS files,
        (array_agg(f.format ORDER BY f.path_text))[1] AS format,
        (array_agg(f.tag_encoding ORDER BY f.path))[1] AS tag_encoding,
        (array_agg(f.tag_encoding_guessed ORDER BY f.path))[1] AS tag_encoding_guessed
    FROM track_file f WHERE f.track_id = t.track_id AND f.gone_at IS NULL
) f ON true;

COMMENT ON VIEW v_library IS 'Every track that was ever ingested, generated or added from a file of vectors, with its labels, audio format and file.';
COMMENT ON COLUMN v_library.reason IS 'Code of the reason why the track was rejected. NULL if it was not rejected.';
COMMENT ON COLUMN v_library.genre IS 'Genre, taken from the labels. Several genres are separated by semicolons; see genres.';
COMMENT ON COLUMN v_library.instrument IS 'Instrument, taken from the labels.';
COMMENT ON COLUMN v_library.voiced IS 'false if the track is unpitched, such as a drum loop. The track''s melody values are then meaningless. NULL if the value was not measured.';
COMMENT ON COLUMN v_library.path IS 'Path of the file or, if there are several files, the first path in alphabetical order. NULL if the track is gone or has no audio.';
COMMENT ON COLUMN v_library.format IS 'Container format of the file at path, such as WAV, FLAC, OGG or MP3. NULL if the track is gone or has no audio, or if the next ingest has to find out the format.';
COMMENT ON COLUMN v_library.files IS 'Number of files with this content.';
COMMENT ON COLUMN v_library.tag_encoding IS 'Encoding by which tags without a reliable encoding were decoded for the title and the labels. NULL if no tag needed it.';
COMMENT ON COLUMN v_library.tag_encoding_guessed IS 'true if tag_encoding was guessed from the tags of all files in the folder. `mirpipe tags` shows the result and can set another encoding.';

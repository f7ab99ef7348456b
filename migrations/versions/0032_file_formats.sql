SET LOCAL search_path = mirpipe, public;

ALTER TABLE track_file ADD COLUMN format text;
COMMENT ON COLUMN track_file.format IS 'Container format, detected from the file''s content, such as WAV, FLAC, OGG or MP3. NULL if the file was rejected, or if it must be read again to know it.';
-- If all files of a track have the same bytes, they have the format of the track. Otherwise, the
-- format is that of the file that was found first, and the next ingest reads these files again.
UPDATE track_file f SET format = t.format
FROM track t
WHERE t.track_id = f.track_id AND NOT EXISTS (SELECT FROM track_file other
    WHERE other.track_id = f.track_id AND other.file_sha256 IS DISTINCT FROM f.file_sha256);
UPDATE track_file SET ctime_ns = NULL WHERE track_id IS NOT NULL AND format IS NULL;
ALTER TABLE track DROP COLUMN format;

SET LOCAL search_path = mirpipe, public;

ALTER TABLE track ADD COLUMN format text;
UPDATE track t SET format = f.format
FROM (SELECT DISTINCT ON (track_id) track_id, format FROM track_file
    WHERE format IS NOT NULL ORDER BY track_id, gone_at NULLS FIRST, path) f
WHERE f.track_id = t.track_id;
ALTER TABLE track_file DROP COLUMN format;

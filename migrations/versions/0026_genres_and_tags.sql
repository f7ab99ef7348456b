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

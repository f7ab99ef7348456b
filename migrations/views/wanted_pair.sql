CREATE OR REPLACE VIEW wanted_pair AS
SELECT n.target_id, n.reference_id, CAST(NULL AS bigint) AS excerpt_id
FROM top_neighbour n
JOIN encoder e ON e.encoder_id = n.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
UNION
SELECT c.target_id, c.track_id, c.excerpt_id FROM wanted_clip c WHERE c.generation_id IS NOT NULL;

COMMENT ON VIEW wanted_pair IS 'Pairs that pair metrics compare: a target and one of its matches from any encoder, or a target and one of its clips by the configured or active revision of a generator.';
COMMENT ON COLUMN wanted_pair.reference_id IS 'Match or clip of the target; key in the table track.';

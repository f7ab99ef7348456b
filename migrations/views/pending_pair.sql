-- A single hash join leaves out the pairs that already have all their scores. The view is
-- therefore fast when nothing is pending: it does not look up each score of each pair.
CREATE OR REPLACE VIEW pending_pair AS
WITH pair AS MATERIALIZED (
    SELECT n.target_id, n.reference_id, n.excerpt_id
    FROM wanted_pair n
    LEFT JOIN (
        SELECT s.target_id, s.reference_id, s.excerpt_id, count(*) AS n
        FROM pair_score s JOIN metric k USING (metric_id)
        WHERE k.wanted AND k.spec ->> 'compares' IN ('melodies', 'notes', 'vectors')
        GROUP BY s.target_id, s.reference_id, s.excerpt_id) scored
        ON (scored.target_id, scored.reference_id) = (n.target_id, n.reference_id)
        AND scored.excerpt_id IS NOT DISTINCT FROM n.excerpt_id
    WHERE coalesce(scored.n, 0) < (
        SELECT count(*) FROM metric k
        WHERE k.wanted AND k.spec ->> 'compares' IN ('melodies', 'notes', 'vectors'))
)
SELECT p.metric_id, p.name, m.metric_id AS melody_id, n.target_id, n.reference_id, n.excerpt_id
FROM pair n
JOIN metric m ON m.name = 'melody' AND m.wanted
JOIN melody t ON t.metric_id = m.metric_id AND t.track_id = n.target_id
JOIN melody r ON r.metric_id = m.metric_id AND r.track_id = n.reference_id
LEFT JOIN metric f ON f.name = 'features' AND f.wanted
LEFT JOIN track_feature tf ON tf.metric_id = f.metric_id AND tf.track_id = n.target_id
LEFT JOIN track_feature rf ON rf.metric_id = f.metric_id AND rf.track_id = n.reference_id
JOIN metric p ON p.wanted AND (p.spec ->> 'compares' = 'melodies'
    OR p.spec ->> 'compares' = 'notes' AND tf.track_id IS NOT NULL AND rf.track_id IS NOT NULL)
WHERE NOT EXISTS (
    SELECT FROM pair_score s
    WHERE s.metric_id = p.metric_id AND s.target_id = n.target_id AND s.reference_id = n.reference_id
      AND s.excerpt_id IS NOT DISTINCT FROM n.excerpt_id)
UNION ALL
SELECT p.metric_id, p.name, NULL, n.target_id, n.reference_id, n.excerpt_id
FROM pair n
JOIN metric p ON p.wanted AND p.spec ->> 'compares' = 'vectors'
JOIN encoder e ON e.name = p.spec ->> 'encoder' AND e.revision = p.spec ->> 'encoder_revision'
WHERE NOT EXISTS (
    SELECT FROM pair_score s
    WHERE s.metric_id = p.metric_id AND s.target_id = n.target_id AND s.reference_id = n.reference_id
      AND s.excerpt_id IS NOT DISTINCT FROM n.excerpt_id)
  AND NOT EXISTS (
    SELECT FROM (VALUES (n.target_id), (n.reference_id)) side (track_id)
    WHERE NOT EXISTS (
        SELECT FROM embedding v WHERE v.encoder_id = e.encoder_id AND v.track_id = side.track_id)
      AND NOT EXISTS (
        SELECT FROM failure f
        WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = side.track_id AND NOT f.retry))
  AND (n.excerpt_id IS NULL
    OR EXISTS (
        SELECT FROM excerpt_vector v WHERE v.encoder_id = e.encoder_id AND v.excerpt_id = n.excerpt_id)
    OR EXISTS (
        SELECT FROM failure f
        WHERE f.stage IN ('embed', 'embed excerpts') AND f.revision = e.revision
          AND f.track_id = n.target_id AND NOT f.retry));

COMMENT ON VIEW pending_pair IS 'Missing scores of pairs whose inputs (melodies, notes or vectors) are stored. A clip needs the vector of the target''s excerpt. The vector of a track or an excerpt that failed because of bad input counts as stored.';
COMMENT ON COLUMN pending_pair.name IS 'Pair metric whose score is missing.';
COMMENT ON COLUMN pending_pair.melody_id IS 'Metric revision that computed the compared melodies; key in the table metric. NULL if vectors are compared.';
COMMENT ON COLUMN pending_pair.reference_id IS 'Match or clip of the target; key in the table track.';

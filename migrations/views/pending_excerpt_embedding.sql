CREATE OR REPLACE VIEW pending_excerpt_embedding AS
SELECT e.encoder_id, e.name, e.revision, x.track_id, x.excerpt_id
FROM encoder e
CROSS JOIN excerpt x
JOIN track t ON t.track_id = x.track_id AND t.state = 'ok' AND t.has_audio
WHERE e.wanted AND x.wanted AND NOT x.is_whole
  AND EXISTS (SELECT FROM generation_wish w JOIN generator g USING (generator_id) WHERE g.wanted)
  AND NOT EXISTS (
    SELECT FROM excerpt_embedding v WHERE v.encoder_id = e.encoder_id AND v.excerpt_id = x.excerpt_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage IN ('embed', 'embed excerpts') AND f.revision = e.revision
      AND f.track_id = x.track_id AND NOT f.retry);

COMMENT ON VIEW pending_excerpt_embedding IS 'Excerpts of targets that have no vector from a configured encoder. Excerpts that are complete targets, or that failed because of bad input, are left out. The view is empty if no generator is configured.';

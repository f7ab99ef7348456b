CREATE OR REPLACE VIEW pending_caption AS
SELECT c.captioner_id, c.name, c.revision, t.track_id, f.metric_id AS features_id, x.excerpt_id
FROM captioner c
CROSS JOIN track t
JOIN track_feature f USING (track_id)
JOIN metric m ON m.metric_id = f.metric_id AND m.wanted
JOIN excerpt x ON x.track_id = t.track_id AND x.wanted
WHERE c.wanted AND t.state = 'ok' AND t.has_audio AND t.collection = 'target'
  AND NOT EXISTS (
    SELECT FROM caption s
    WHERE s.captioner_id = c.captioner_id AND s.track_id = t.track_id AND s.features_id = f.metric_id
      AND s.excerpt_id = x.excerpt_id)
  AND NOT EXISTS (
    SELECT FROM failure x
    WHERE x.stage = 'caption' AND x.revision = c.revision AND x.track_id = t.track_id AND NOT x.retry);

COMMENT ON VIEW pending_caption IS 'Targets that have features but no caption of their excerpt from the configured captioner. Targets that failed because of bad input are left out.';

CREATE OR REPLACE VIEW pending_feature AS
SELECT m.metric_id, m.name, m.revision, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.name = 'features' AND t.state = 'ok' AND t.has_audio
  AND NOT EXISTS (
    SELECT FROM track_feature s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'analyse' AND f.revision = m.revision AND f.track_id = t.track_id AND NOT f.retry);

COMMENT ON VIEW pending_feature IS 'Usable tracks with audio that have no features from the configured revision. Tracks that failed because of bad input are left out.';

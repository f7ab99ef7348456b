CREATE OR REPLACE VIEW pending_melody AS
SELECT m.metric_id, m.name, m.revision, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.name = 'melody' AND t.state = 'ok' AND t.has_audio
  AND NOT EXISTS (
    SELECT FROM melody s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f JOIN metric a ON a.name = 'features' AND a.wanted AND a.revision = f.revision
    WHERE f.stage = 'analyse' AND f.track_id = t.track_id AND NOT f.retry);

COMMENT ON VIEW pending_melody IS 'Usable tracks with audio that have no melody from the configured revision. Tracks that failed because of bad input are left out.';

CREATE OR REPLACE VIEW pending_track_score AS
SELECT m.metric_id, m.name, m.revision, m.spec ->> 'name' AS plugin, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.spec ->> 'axis' IS NOT NULL AND t.state = 'ok' AND t.has_audio
  AND NOT EXISTS (
    SELECT FROM track_score s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'score' AND f.revision = m.revision AND f.track_id = t.track_id AND NOT f.retry);

COMMENT ON VIEW pending_track_score IS 'Usable tracks with audio that have no score on a score axis of a configured model. Tracks that failed because of bad input are left out.';
COMMENT ON COLUMN pending_track_score.name IS 'Score axis on which the score is missing.';
COMMENT ON COLUMN pending_track_score.plugin IS 'Model that the axis belongs to. A model computes all its axes together.';

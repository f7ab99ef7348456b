CREATE OR REPLACE VIEW pending_embedding AS
SELECT e.encoder_id, e.name, e.revision, t.track_id
FROM encoder e
CROSS JOIN track t
WHERE e.wanted AND t.state = 'ok' AND t.has_audio
  AND NOT EXISTS (
    SELECT FROM embedding v WHERE v.encoder_id = e.encoder_id AND v.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = t.track_id AND NOT f.retry);

COMMENT ON VIEW pending_embedding IS 'Usable tracks with audio that have no vector from a configured encoder. Tracks that failed because of bad input are left out.';

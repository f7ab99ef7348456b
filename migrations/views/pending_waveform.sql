CREATE OR REPLACE VIEW pending_waveform AS
SELECT t.track_id, t.collection
FROM track t
WHERE t.state = 'ok' AND t.has_audio
  AND (t.silent_share IS NULL
    OR NOT EXISTS (SELECT FROM waveform w WHERE w.track_id = t.track_id)
    OR NOT EXISTS (SELECT FROM track_audio a WHERE a.track_id = t.track_id))
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'draw' AND f.track_id = t.track_id AND NOT f.retry);

COMMENT ON VIEW pending_waveform IS 'Usable tracks with audio that was not measured, or that have no waveform. The next ingest decodes them. Tracks that failed because of bad input are left out.';

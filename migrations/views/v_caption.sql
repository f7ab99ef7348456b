CREATE OR REPLACE VIEW v_caption AS
SELECT t.track_id, t.title, k.name AS captioner, k.revision, c.caption, c.contradictions,
    f.tempo_bpm, f.meter, f.key, f.key_clarity, f.voiced_fraction, f.reasons,
    c.window_start_seconds, c.window_seconds, c.device, c.took_seconds,
    k.spec ->> 'licence_weights' AS licence_weights,
    k.is_random AS random,
    k.captioner_id IN (SELECT a.captioner_id FROM active_captioner a) AS wanted,
    f.tempo_candidates, f.tempo_strengths, f.octave_ambiguous
FROM caption c
JOIN captioner k USING (captioner_id)
JOIN track t USING (track_id)
JOIN track_feature f ON f.metric_id = c.features_id AND f.track_id = c.track_id;

COMMENT ON VIEW v_caption IS 'Captions, together with the measured features of the same track.';
COMMENT ON COLUMN v_caption.wanted IS 'true if the caption enters the results: the settings request its captioner, and the revision is active.';

CREATE OR REPLACE VIEW v_track_score AS
SELECT t.title AS track, t.collection, m.name AS metric, s.value, s.reason,
    m.spec ->> 'unit' AS unit, m.revision,
    m.spec ->> 'licence_weights' AS licence_weights,
    m.spec ->> 'checkpoint' AS checkpoint,
    m.is_random AS random,
    s.track_id, m.metric_id
FROM track_score s
JOIN shown_metric m ON m.metric_id = s.metric_id
JOIN track t ON t.track_id = s.track_id;

COMMENT ON VIEW v_track_score IS 'Scores of single tracks, one row per track and metric.';
COMMENT ON COLUMN v_track_score.metric IS 'Score axis of a model, such as aesthetics_ce.';
COMMENT ON COLUMN v_track_score.value IS 'Mean over the track''s windows, weighted by window length. NULL if the score is undefined; see reason.';

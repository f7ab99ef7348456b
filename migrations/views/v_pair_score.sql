CREATE OR REPLACE VIEW v_pair_score AS
SELECT t.title AS target, r.title AS reference, r.collection, m.name AS metric, p.value, p.reason,
    m.spec ->> 'unit' AS unit, m.revision,
    m.spec ->> 'licence_weights' AS licence_weights,
    m.is_random AS random,
    nullif(m.spec ->> 'checkpoint', '') AS checkpoint,
    p.target_id, p.reference_id, m.metric_id, p.excerpt_id
FROM pair_score p
JOIN shown_metric m ON m.metric_id = p.metric_id
JOIN track t ON t.track_id = p.target_id
JOIN track r ON r.track_id = p.reference_id;

COMMENT ON VIEW v_pair_score IS 'Scores of pairs, one row per pair and metric. A pair consists of a target and one of its matches or clips.';
COMMENT ON COLUMN v_pair_score.reference IS 'Title of the match or clip. Titles are not unique; join on reference_id.';
COMMENT ON COLUMN v_pair_score.collection IS 'Collection of the second track: reference for a match, generated for a clip.';
COMMENT ON COLUMN v_pair_score.metric IS 'Name of the metric: aligned_melody, melody_accuracy, melody_oti (each of the last two also with _corrected and _null95), melody_accuracy_shifted, melody_offset or clap_similarity.';
COMMENT ON COLUMN v_pair_score.value IS 'Score of the pair. Higher means more similar. The value of a _null95 metric is not exceeded in 95% of the pair''s time shifts. The value of melody_offset is in seconds. NULL if the score is undefined; see reason.';
COMMENT ON COLUMN v_pair_score.reason IS 'Code of the reason why the value is missing, such as unpitched. NULL if there is a value.';
COMMENT ON COLUMN v_pair_score.licence_weights IS 'Licence of the weights used to compute the value. The licence may restrict how the value can be used. Empty if there are no weights.';
COMMENT ON COLUMN v_pair_score.reference_id IS 'Match or clip; key in the table track.';

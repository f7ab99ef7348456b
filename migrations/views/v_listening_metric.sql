CREATE OR REPLACE VIEW v_listening_metric AS
SELECT t.name AS test, t.kind, t.run_id, c.value ->> 'criterion' AS criterion,
    m.value ->> 'metric' AS metric, p.questions_n, p.targets_n, p.accuracy, p.low, p.high,
    p.correlation, p.correlation_low, p.correlation_high, p.reason, r.computed_at,
    coalesce((m.value ->> 'is_random')::boolean, false) AS random
FROM listening_result r
JOIN listening_test t USING (listening_test_id)
CROSS JOIN LATERAL jsonb_array_elements(r.results -> 'criteria') c (value)
CROSS JOIN LATERAL jsonb_array_elements(c.value -> 'metrics') m (value)
CROSS JOIN LATERAL jsonb_to_record(m.value -> 'prediction')
    p (questions_n integer, targets_n integer, accuracy double precision, low double precision,
        high double precision, correlation double precision, correlation_low double precision,
        correlation_high double precision, reason text);

COMMENT ON VIEW v_listening_metric IS 'How well each metric predicts the votes of a listening test.';
COMMENT ON COLUMN v_listening_metric.metric IS 'Name of the metric. cosine with the name of an encoder is the cosine of its vectors.';
COMMENT ON COLUMN v_listening_metric.questions_n IS 'Number of questions with votes for which both values of the metric are defined.';
COMMENT ON COLUMN v_listening_metric.targets_n IS 'Number of their targets that have a vote for one of the tracks.';
COMMENT ON COLUMN v_listening_metric.accuracy IS 'Share of the votes for the track that the metric prefers, from 0 to 1: a mean over targets. 0.5 is expected by chance.';
COMMENT ON COLUMN v_listening_metric.low IS 'Lower end of the 95% confidence interval of the accuracy over targets.';
COMMENT ON COLUMN v_listening_metric.high IS 'Upper end of the 95% confidence interval of the accuracy over targets.';
COMMENT ON COLUMN v_listening_metric.correlation IS 'Spearman''s rank correlation of the difference of the metric and the mean vote, from -1 to 1.';
COMMENT ON COLUMN v_listening_metric.correlation_low IS 'Lower end of the 95% confidence interval of the correlation over targets.';
COMMENT ON COLUMN v_listening_metric.correlation_high IS 'Upper end of the 95% confidence interval of the correlation over targets.';
COMMENT ON COLUMN v_listening_metric.reason IS 'Code of the reason why the accuracy has no interval, such as too_few_targets.';

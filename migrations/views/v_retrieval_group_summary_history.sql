CREATE OR REPLACE VIEW v_retrieval_group_summary_history AS
SELECT e.name AS encoder, u.label, u.value, u.metric, u.n, u.mean, u.sd, u.low, u.high,
    u.undefined_n, u.unlabelled_n, u.interval_reason, e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    e.is_random OR coalesce(m.is_random, false) AS random,
    u.run_id, n.finished_at, m.revision AS metric_revision,
    coalesce(m.is_random, false) AS metric_random, u.p, u.p_adjusted, u.p_reason,
    u.same_recording_n
FROM run_group_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id;

COMMENT ON VIEW v_retrieval_group_summary_history IS 'Every run: v_retrieval_summary, computed for each group of targets with the same genre or instrument.';

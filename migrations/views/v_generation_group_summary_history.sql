CREATE OR REPLACE VIEW v_generation_group_summary_history AS
SELECT r.name AS generator, s.mode, s.guidance, s.label, s.value, s.metric, s.n, s.mean, s.sd,
    s.low, s.high, s.targets_n, s.undefined_n, s.unlabelled_n, s.interval_reason, r.revision,
    r.spec ->> 'licence_weights' AS licence_weights,
    r.is_random AS random, s.run_id, n.finished_at,
    s.metric_revision, s.metric_licence_weights, s.metric_random, s.clips_n, s.averaged_over,
    s.p, s.p_adjusted, s.p_reason
FROM run_group_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id);

COMMENT ON VIEW v_generation_group_summary_history IS 'Every run: v_generation_summary, computed for each group of targets with the same genre or instrument.';

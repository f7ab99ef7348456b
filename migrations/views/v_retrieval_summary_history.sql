-- A subquery finds the previous mean, because a window function would read the rows of all runs.
CREATE OR REPLACE VIEW v_retrieval_summary_history AS
SELECT u.run_id, n.finished_at, e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.low, u.high,
    u.undefined_n, u.interval_reason,
    u.mean - (
        SELECT p.mean FROM run_summary p JOIN encoder o USING (encoder_id)
        WHERE o.name = e.name AND p.metric = u.metric AND p.run_id < u.run_id
        ORDER BY p.run_id DESC LIMIT 1) AS mean_change,
    coalesce((n.library ->> 'reference ok')::integer, 0) AS library_references,
    coalesce((n.library ->> 'target ok')::integer, 0) AS library_targets,
    coalesce((n.library ->> 'generated ok')::integer, 0) AS library_clips,
    e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    e.is_random OR coalesce(m.is_random, false) AS random,
    m.revision AS metric_revision, u.same_recording_n
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id;

COMMENT ON VIEW v_retrieval_summary_history IS 'Every run: v_retrieval_summary without the published tables, but with the library size at the time of the run.';

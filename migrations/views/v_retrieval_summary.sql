CREATE OR REPLACE VIEW v_retrieval_summary AS
SELECT e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.undefined_n,
    e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    e.is_random OR coalesce(m.is_random, false) AS random,
    u.run_id, n.finished_at, m.revision AS metric_revision,
    coalesce(m.is_random, false) AS metric_random,
    u.low, u.high, u.interval_reason, 'library' AS source, u.same_recording_n
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id
WHERE u.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT p.subject, p.metric, p.n::integer, p.mean, p.sd, 0, NULL, NULL, false, NULL, NULL, NULL, false,
    p.low, p.high, p.interval_reason, 'published', 0
FROM published_mean p WHERE p.task = 'retrieval';

COMMENT ON VIEW v_retrieval_summary IS 'The latest run and the published tables: mean and standard deviation of each metric over the best matches of all targets. Matches that are the same recording as their target are left out, unless the settings say that they count.';

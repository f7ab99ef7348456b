CREATE OR REPLACE VIEW v_generation_delta AS
SELECT r.name AS generator, c.metric, c.mode, c.guidance, c.than_mode, c.than_guidance,
    c.n::bigint AS n, c.mean_difference, c.sd, c.higher_n::bigint AS higher_n, r.revision,
    c.random, c.licence_weights,
    c.low, c.high, c.p, c.p_adjusted, c.method, coalesce(c.role IS DISTINCT FROM 'exploratory' AND c.p_adjusted < 0.05, false) AS established,
    c.family_n, c.interval_reason, c.reason, c.run_id, n.finished_at, 'library' AS source,
    100 * c.mean_difference / nullif(c.than_mean, 0) AS percent, c.role, c.equal_n::bigint AS equal_n
FROM run_comparison c
JOIN generator r ON r.generator_id = c.generator_id
JOIN run n ON n.run_id = c.run_id
WHERE c.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT 'published', p.metric, p.subject, p.guidance, p.than_subject, p.than_guidance,
    p.n, p.mean_difference, p.sd, p.higher_n, NULL, false, NULL, p.low, p.high, p.p, p.p_adjusted, p.method,
    coalesce(p.role IS DISTINCT FROM 'exploratory' AND p.p_adjusted < 0.05, false), p.family_n, p.interval_reason, p.reason, NULL, NULL, 'published', p.percent,
    p.role, p.equal_n
FROM published_difference p WHERE p.task = 'generation';

COMMENT ON VIEW v_generation_delta IS 'The latest run and the published tables: each pair of a generator''s modes, compared on the targets that have clips in both modes.';
COMMENT ON COLUMN v_generation_delta.percent IS 'mean_difference as a percentage of the second mode''s mean over the same n targets. The percentage is hardly meaningful if that mean is close to 0, and NULL if that mean is 0 or was not stored with the run.';

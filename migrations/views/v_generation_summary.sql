CREATE OR REPLACE VIEW v_generation_summary AS
SELECT r.name AS generator, s.mode, s.guidance, s.metric, s.n, s.mean, s.sd, s.undefined_n,
    r.revision, r.spec ->> 'licence_weights' AS licence_weights,
    r.is_random AS random, s.run_id, n.finished_at,
    s.low, s.high, s.targets_n, s.interval_reason, 'library' AS source,
    s.metric_revision, s.metric_licence_weights, s.metric_random, s.clips_n, s.averaged_over
FROM run_generation_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id)
WHERE s.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT 'published', p.subject, p.guidance, p.metric, p.n::integer, p.mean, p.sd, 0, NULL, NULL, false, NULL, NULL,
    p.low, p.high, p.n::integer, p.interval_reason, 'published', NULL, NULL, false, p.n::integer, 'targets'
FROM published_mean p WHERE p.task = 'generation';

COMMENT ON VIEW v_generation_summary IS 'The latest run and the published tables: each metric of the clips with the same mode and guidance, summarised over targets. The values of a target''s clips are averaged first.';
COMMENT ON COLUMN v_generation_summary.licence_weights IS 'Licence of the generator''s weights.';
COMMENT ON COLUMN v_generation_summary.random IS 'true if the generator has random weights. The row is then not meaningful for music.';

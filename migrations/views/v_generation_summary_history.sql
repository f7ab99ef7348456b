-- A subquery finds the previous mean, because a window function would read the rows of all runs.
CREATE OR REPLACE VIEW v_generation_summary_history AS
SELECT s.run_id, n.finished_at, r.name AS generator, s.mode, s.guidance, s.metric, s.n, s.mean, s.sd,
    s.low, s.high, s.targets_n, s.undefined_n, s.interval_reason,
    s.mean - (
        SELECT p.mean FROM run_generation_summary p JOIN generator o USING (generator_id)
        WHERE o.name = r.name AND p.mode = s.mode AND p.guidance IS NOT DISTINCT FROM s.guidance
          AND p.metric = s.metric AND p.averaged_over = s.averaged_over AND p.run_id < s.run_id
        ORDER BY p.run_id DESC LIMIT 1) AS mean_change,
    coalesce((n.library ->> 'reference ok')::integer, 0) AS library_references,
    coalesce((n.library ->> 'target ok')::integer, 0) AS library_targets,
    coalesce((n.library ->> 'generated ok')::integer, 0) AS library_clips,
    r.revision, r.spec ->> 'licence_weights' AS licence_weights,
    r.is_random AS random,
    s.metric_revision, s.metric_licence_weights, s.metric_random, s.clips_n, s.averaged_over
FROM run_generation_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id);

COMMENT ON VIEW v_generation_summary_history IS 'Every run: v_generation_summary without the published tables, but with the library size at the time of the run.';

CREATE OR REPLACE VIEW published_mean AS
SELECT s.task, s.subject, s.guidance, s.metric, count(*) AS n, avg(s.value) AS mean, stddev_pop(s.value) AS sd,
    i.low, i.high, i.interval_reason
FROM published_score s
LEFT JOIN published_interval i USING (task, subject, metric)
GROUP BY s.task, s.subject, s.guidance, s.metric, i.low, i.high, i.interval_reason;

COMMENT ON VIEW published_mean IS 'Means and standard deviations of the published numbers, computed from the printed lines.';

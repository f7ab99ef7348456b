CREATE OR REPLACE VIEW published_difference AS
SELECT c.task, c.metric, c.subject, c.than_subject, d.guidance, d.than_guidance, d.n, d.mean_difference, d.sd, d.higher_n,
    d.percent, c.low, c.high, c.interval_reason, c.p, c.p_adjusted, c.method, c.reason, c.family_n, c.role, d.equal_n
FROM published_comparison c
CROSS JOIN LATERAL (
    SELECT count(*) AS n, avg(a.value - b.value) AS mean_difference, stddev_pop(a.value - b.value) AS sd,
        count(*) FILTER (WHERE a.value > b.value) AS higher_n,
        count(*) FILTER (WHERE a.value = b.value) AS equal_n,
        100 * avg(a.value - b.value) / nullif(avg(b.value), 0) AS percent,
        max(a.guidance) AS guidance, max(b.guidance) AS than_guidance
    FROM published_score a
    JOIN published_score b USING (task, target, metric)
    WHERE (a.task, a.metric, a.subject) = (c.task, c.metric, c.subject) AND b.subject = c.than_subject) d;

COMMENT ON VIEW published_difference IS 'Two encoders, or two modes, compared on the published targets that have both values.';
COMMENT ON COLUMN published_difference.subject IS 'First encoder or mode, as printed: the encoder whose name comes later in alphabetical order, or the mode that is printed later.';
COMMENT ON COLUMN published_difference.percent IS 'mean_difference as a percentage of the second encoder''s or mode''s mean over these targets. NULL if that mean is 0.';

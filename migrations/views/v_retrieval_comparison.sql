CREATE OR REPLACE VIEW v_retrieval_comparison AS
SELECT a.name AS encoder, b.name AS than_encoder, c.metric, c.n, c.mean_difference, c.low, c.high,
    c.p, c.p_adjusted, coalesce(c.role IS DISTINCT FROM 'exploratory' AND c.p_adjusted < 0.05, false) AS established, c.higher_n, c.sd, c.method,
    c.family_n, c.interval_reason, c.reason, a.revision, b.revision AS than_revision,
    c.licence_weights, c.random, c.run_id, n.finished_at, 'library' AS source, c.role, c.equal_n
FROM run_comparison c
JOIN encoder a ON a.encoder_id = c.encoder_id
JOIN encoder b ON b.encoder_id = c.than_encoder_id
JOIN run n ON n.run_id = c.run_id
WHERE c.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT p.subject, p.than_subject, p.metric, p.n::integer, p.mean_difference, p.low, p.high,
    p.p, p.p_adjusted, coalesce(p.role IS DISTINCT FROM 'exploratory' AND p.p_adjusted < 0.05, false), p.higher_n::integer, p.sd, p.method,
    p.family_n, p.interval_reason, p.reason, NULL, NULL, NULL, false, NULL, NULL, 'published', p.role, p.equal_n::integer
FROM published_difference p WHERE p.task = 'retrieval';

COMMENT ON VIEW v_retrieval_comparison IS 'The latest run and the published tables: the best matches of each pair of encoders, compared by the same metric on the targets for which both encoders have a value.';
COMMENT ON COLUMN v_retrieval_comparison.encoder IS 'First encoder: the one whose name comes later in alphabetical order.';
COMMENT ON COLUMN v_retrieval_comparison.than_encoder IS 'Second encoder, which the first one is compared with.';
COMMENT ON COLUMN v_retrieval_comparison.metric IS 'Name of the metric, as in v_retrieval_summary. Cosines of different encoders are left out, because they are not comparable.';
COMMENT ON COLUMN v_retrieval_comparison.revision IS 'Revision of the first encoder.';
COMMENT ON COLUMN v_retrieval_comparison.than_revision IS 'Revision of the second encoder.';

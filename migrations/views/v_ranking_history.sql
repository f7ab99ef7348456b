CREATE OR REPLACE VIEW v_ranking_history AS
SELECT coalesce(e.name, 'fusion') AS encoder, s.queries, s.label, s.metric, s.rerank, s.n, s.left_out_n,
    s.mean, s.low, s.high, e.revision,
    CASE WHEN e.encoder_id IS NULL THEN f.licence_weights ELSE e.spec ->> 'licence_weights' END AS licence_weights,
    coalesce(e.is_random, false) AS random, s.run_id, n.finished_at, s.interval_reason,
    s.filter, s.filtered_n, s.same_recording_n
FROM run_ranking s
JOIN run n USING (run_id)
LEFT JOIN encoder e USING (encoder_id)
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT o.spec ->> 'licence_weights', '; ') AS licence_weights
    FROM run_encoder g JOIN encoder o USING (encoder_id)
    WHERE g.run_id = s.run_id AND NOT o.is_random) f ON true;

COMMENT ON VIEW v_ranking_history IS 'Every run: how highly each encoder ranks references that share a label with the query, by cosine and by CSLS.';

CREATE OR REPLACE VIEW v_set_distance_history AS
SELECT r.name AS generator, s.mode, s.guidance, e.name AS encoder, s.metric, s.value, s.reason, s.is_finding,
    s.n, s.references_n, s.seconds, s.bandwidth, e.revision, r.revision AS generator_revision,
    concat_ws('; ', r.spec ->> 'licence_weights',
        nullif(e.spec ->> 'licence_weights', r.spec ->> 'licence_weights')) AS licence_weights,
    r.is_random OR e.is_random AS random, s.run_id, n.finished_at,
    s.bias, s.bias_high
FROM run_set_distance s
JOIN run n USING (run_id)
JOIN generator r USING (generator_id)
JOIN encoder e USING (encoder_id);

COMMENT ON VIEW v_set_distance_history IS 'Every run: distances between the clips generated in each mode and the reference library.';

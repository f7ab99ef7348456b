CREATE OR REPLACE VIEW v_fusion AS
SELECT a.rank, t.title AS target, r.title AS reference, a.score, f.encoders,
    t.labels AS target_labels, r.labels AS reference_labels, a.target_id, a.reference_id,
    f.licence_weights, false AS random, a.run_id, a.relation
FROM run_answer a
JOIN track t ON t.track_id = a.target_id
JOIN track r ON r.track_id = a.reference_id
CROSS JOIN LATERAL (
    SELECT array_agg(o.name ORDER BY o.name) AS encoders,
        string_agg(DISTINCT o.spec ->> 'licence_weights', '; ') AS licence_weights
    FROM run_encoder g JOIN encoder o USING (encoder_id)
    WHERE g.run_id = a.run_id AND NOT o.is_random) f
WHERE a.method = 'fusion' AND a.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_fusion IS 'The latest run: the 10 best references per target in the ranking that combines all encoders.';
COMMENT ON COLUMN v_fusion.rank IS 'Rank of the reference. Rank 1 is the best reference. Ties are broken by content hash.';
COMMENT ON COLUMN v_fusion.score IS 'Sum of 1 / (60 + rank) over the encoders that have vectors of the target and of the reference.';
COMMENT ON COLUMN v_fusion.encoders IS 'Names of the encoders that were combined: all active encoders except those with random weights.';
COMMENT ON COLUMN v_fusion.random IS 'Always false, because encoders with random weights are left out.';

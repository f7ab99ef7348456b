CREATE OR REPLACE VIEW v_csls AS
SELECT e.name AS encoder, s.top1_equal, s.top10_overlap, s.targets_n, s.references_n, s.is_sample,
    s.kept, s.neighbourhood, s.base_n, s.base_targets_n, s.base_top1_equal, s.base_top10_overlap,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    e.is_random AS random, s.run_id
FROM run_csls s
JOIN encoder e USING (encoder_id)
WHERE s.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_csls IS 'The latest run: how re-ranking by CSLS was computed, and how well it agrees with a CSLS ranking of all references.';

CREATE OR REPLACE VIEW v_reranked AS
SELECT e.name AS encoder, t.title AS target, r.title AS reference, a.cosine_rank, a.cosine, a.csls_rank, a.csls,
    a.target_id, a.reference_id, e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    e.is_random AS random, a.run_id, a.relation
FROM (
    SELECT coalesce(s.encoder_id, a.encoder_id) AS encoder_id,
        coalesce(s.target_id, a.target_id) AS target_id,
        coalesce(s.reference_id, a.reference_id) AS reference_id,
        coalesce(s.rank, a.cosine_rank) AS cosine_rank, coalesce(s.cosine, a.cosine) AS cosine,
        a.rank AS csls_rank, a.score AS csls, latest.run_id,
        coalesce(s.relation, a.relation) AS relation
    FROM (SELECT max(run_id) AS run_id FROM run) latest
    CROSS JOIN (
        (SELECT * FROM served_neighbour WHERE to_run IS NULL) s
        FULL JOIN (
            SELECT * FROM run_answer
            WHERE method = 'csls' AND run_id = (SELECT max(run_id) FROM run)) a
        USING (encoder_id, target_id, reference_id))
) a
JOIN encoder e USING (encoder_id)
JOIN track t ON t.track_id = a.target_id
JOIN track r ON r.track_id = a.reference_id;

COMMENT ON VIEW v_reranked IS 'The latest run: the 10 best matches by cosine, together with the 10 best matches by CSLS.';
COMMENT ON COLUMN v_reranked.cosine_rank IS 'Rank by cosine. The rank is between 11 and 50 if the reference is among the 10 best matches by CSLS but not by cosine.';
COMMENT ON COLUMN v_reranked.csls_rank IS 'Rank by CSLS, 1 to 10. NULL if the reference is among the 10 best matches by cosine but not by CSLS.';
COMMENT ON COLUMN v_reranked.csls IS 'CSLS value: 2 * cosine - r(target) - r(reference), where r is a track''s mean cosine similarity to its 10 most similar references. NULL if csls_rank is NULL.';

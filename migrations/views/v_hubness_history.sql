CREATE OR REPLACE VIEW v_hubness_history AS
SELECT e.name AS encoder, s.queries, s.rerank, s.k, s.skewness, s.largest, t.title AS largest_reference,
    s.never_retrieved_share, s.n, s.references_n, s.largest_reference_id, e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    e.is_random AS random,
    s.run_id, n.finished_at
FROM run_hubness s
JOIN run n USING (run_id)
JOIN encoder e USING (encoder_id)
JOIN track t ON t.track_id = s.largest_reference_id;

COMMENT ON VIEW v_hubness_history IS 'Every run: how unevenly references occur in the matches ranked by cosine and by CSLS.';

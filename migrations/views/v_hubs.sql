CREATE OR REPLACE VIEW v_hubs AS
SELECT e.name AS encoder, s.queries, s.rerank, s.k, s.rank, t.title AS reference, s.retrieved_n,
    s.retrieved_n::double precision / h.n AS share, h.n, t.labels, s.reference_id, e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    e.is_random AS random,
    s.run_id
FROM run_hub s
JOIN run_hubness h USING (run_id, encoder_id, queries, rerank, k)
JOIN encoder e USING (encoder_id)
JOIN track t ON t.track_id = s.reference_id
WHERE s.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_hubs IS 'The latest run: the 20 references that occur in the most match lists.';
COMMENT ON COLUMN v_hubs.share IS 'Share (0 to 1) of queries that have the reference among their k best matches: retrieved_n / n.';

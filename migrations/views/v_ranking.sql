CREATE OR REPLACE VIEW v_ranking AS
SELECT * FROM v_ranking_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_ranking IS 'The latest run: how highly each encoder ranks references that share a label with the query, by cosine and by CSLS. The rows with filter = none are the main results.';
COMMENT ON COLUMN v_ranking.encoder IS 'Name of the encoder, or fusion for all encoders combined, except those with random weights.';
COMMENT ON COLUMN v_ranking.revision IS 'Revision of the encoder. NULL for fusion.';

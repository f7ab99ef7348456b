CREATE OR REPLACE VIEW v_retrieval_group_summary AS
SELECT * FROM v_retrieval_group_summary_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_retrieval_group_summary IS 'The latest run: v_retrieval_summary, computed for each group of targets with the same genre or instrument.';

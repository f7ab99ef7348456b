CREATE OR REPLACE VIEW v_generation_group_summary AS
SELECT * FROM v_generation_group_summary_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_generation_group_summary IS 'The latest run: v_generation_summary, computed for each group of targets with the same genre or instrument.';
COMMENT ON COLUMN v_generation_group_summary.licence_weights IS 'Licence of the generator''s weights.';
COMMENT ON COLUMN v_generation_group_summary.random IS 'true if the generator has random weights. The row is then not meaningful for music.';

CREATE OR REPLACE VIEW v_hubness AS
SELECT * FROM v_hubness_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_hubness IS 'The latest run: how unevenly references occur in the matches ranked by cosine and by CSLS.';
COMMENT ON COLUMN v_hubness.largest_reference IS 'Title of the most frequent reference. Titles are not unique; join on largest_reference_id.';

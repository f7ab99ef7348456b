CREATE OR REPLACE VIEW v_set_distance AS
SELECT * FROM v_set_distance_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_set_distance IS 'The latest run: distances between the clips generated in each mode and the reference library.';
COMMENT ON COLUMN v_set_distance.encoder IS 'Encoder whose vectors are used to measure the distance.';
COMMENT ON COLUMN v_set_distance.revision IS 'Revision of the encoder.';

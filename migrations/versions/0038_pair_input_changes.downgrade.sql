SET LOCAL search_path = mirpipe, public;

DROP FUNCTION note_pair_input_change CASCADE;
DROP TABLE pair_input_change;

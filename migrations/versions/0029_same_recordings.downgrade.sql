SET LOCAL search_path = mirpipe, public;

DROP TABLE same_recording;
DROP TABLE fingerprint_change;
DROP TABLE fingerprint;

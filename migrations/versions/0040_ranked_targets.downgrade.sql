SET LOCAL search_path = mirpipe, public;

ALTER TABLE run DROP ranked_targets;

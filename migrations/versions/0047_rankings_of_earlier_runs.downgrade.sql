SET LOCAL search_path = mirpipe, public;

ALTER TABLE run DROP rankings_run_id, DROP rankings_library_digest, DROP rankings_method_digest;

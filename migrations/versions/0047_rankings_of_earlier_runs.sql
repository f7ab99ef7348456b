SET LOCAL search_path = mirpipe, public;

-- Rankings need all vectors of the library. A run that changed nothing about them takes them over.
ALTER TABLE run ADD rankings_run_id bigint REFERENCES run,
    ADD rankings_library_digest text,
    ADD rankings_method_digest text,
    ADD CHECK (rankings_run_id <= run_id);
COMMENT ON COLUMN run.rankings_run_id IS 'Run that measured the rankings: P@k, MRR, mAP, hubs, CSLS, fusion and the agreement of encoders. It is an earlier run if nothing that they depend on has changed since, or if MIRPIPE_RANKINGS_HOURS has not passed. NULL if the run is older than this column; then it measured them itself.';
COMMENT ON COLUMN run.rankings_library_digest IS 'Hash of the tracks, labels, vectors and same recordings at the time of the run. If it differs from that of rankings_run_id, the rankings are those of an earlier library. NULL if the run is older than this column.';
COMMENT ON COLUMN run.rankings_method_digest IS 'Hash of the encoders, methods and settings that rankings depend on. NULL if the run is older than this column.';

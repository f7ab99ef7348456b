SET LOCAL search_path = mirpipe, public;

-- Earlier runs left out no match.
ALTER TABLE run ADD same_recording_counts boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN run.same_recording_counts IS 'Whether matches that are the same recording as their target count in P@k, MRR, mAP and the summaries of the run. true for runs from before revision 0030.';

ALTER TABLE served_neighbour
    ADD relation text CHECK (relation IN ('same_file', 'same_recording')),
    ADD counted_rank smallint CHECK (counted_rank BETWEEN 1 AND rank);
UPDATE served_neighbour SET counted_rank = rank;
ALTER TABLE served_neighbour ADD CHECK (counted_rank IS NOT NULL OR relation IS NOT NULL);

ALTER TABLE run_answer ADD relation text CHECK (relation IN ('same_file', 'same_recording'));

ALTER TABLE run_summary ADD same_recording_n integer NOT NULL DEFAULT 0 CHECK (same_recording_n >= 0);
ALTER TABLE run_group_summary ADD same_recording_n integer NOT NULL DEFAULT 0 CHECK (same_recording_n >= 0);

ALTER TABLE run_ranking
    ADD filter text NOT NULL DEFAULT 'none' CHECK (filter IN ('none', 'album', 'artist')),
    ADD filtered_n integer CHECK (filtered_n BETWEEN 0 AND n),
    ADD same_recording_n integer NOT NULL DEFAULT 0 CHECK (same_recording_n >= 0),
    ADD CHECK ((filter = 'none') = (filtered_n IS NULL)),
    DROP CONSTRAINT run_ranking_run_id_encoder_id_queries_label_metric_rerank_key,
    ADD UNIQUE NULLS NOT DISTINCT (run_id, encoder_id, queries, label, metric, rerank, filter);

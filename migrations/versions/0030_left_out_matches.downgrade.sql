SET LOCAL search_path = mirpipe, public;

DELETE FROM run_ranking WHERE filter <> 'none';
ALTER TABLE run_ranking DROP filter, DROP filtered_n, DROP same_recording_n,
    ADD UNIQUE NULLS NOT DISTINCT (run_id, encoder_id, queries, label, metric, rerank);
ALTER TABLE run_group_summary DROP same_recording_n;
ALTER TABLE run_summary DROP same_recording_n;
ALTER TABLE run_answer DROP relation;
ALTER TABLE served_neighbour DROP relation, DROP counted_rank;
ALTER TABLE run DROP same_recording_counts;

SET LOCAL search_path = mirpipe, public;

ALTER TABLE embedding_batch DROP COLUMN peak_memory_bytes;
DROP TABLE shown_clip, revision_comparison, listening_result;
GRANT SELECT ON listener, vote TO mirpipe_read;

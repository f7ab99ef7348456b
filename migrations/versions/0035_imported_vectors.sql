SET LOCAL search_path = mirpipe, public;

-- A file of vectors does not prove how its vectors were computed, so nothing is stored about it.
ALTER TABLE embedding_batch
    ADD is_imported boolean NOT NULL DEFAULT false,
    ALTER device DROP NOT NULL,
    ALTER versions DROP NOT NULL,
    ALTER seconds DROP NOT NULL,
    ADD CONSTRAINT embedding_batch_origin
        CHECK (num_nonnulls(device, versions, seconds) = CASE WHEN is_imported THEN 0 ELSE 3 END);
COMMENT ON COLUMN embedding_batch.is_imported IS 'true if the vectors come from a file that mirpipe vectors import has read. How they were computed is then unknown, so device, versions and seconds are NULL.';

-- An imported revision can become active without being configured. The lists and sums of a revision
-- that was neither may contain a track that is not searchable, or miss one that is.
CREATE TRIGGER revision_active_again AFTER INSERT OR UPDATE OF encoder_id ON serving_revision
    FOR EACH ROW EXECUTE FUNCTION queue_missed_changes();

SET LOCAL search_path = mirpipe, public;

DROP TRIGGER revision_active_again ON serving_revision;
ALTER TABLE embedding_batch DROP CONSTRAINT embedding_batch_origin;
-- The earlier schema cannot mark imported vectors.
UPDATE embedding_batch SET device = 'imported', versions = '{}', seconds = 0 WHERE is_imported;
ALTER TABLE embedding_batch
    DROP is_imported,
    ALTER device SET NOT NULL,
    ALTER versions SET NOT NULL,
    ALTER seconds SET NOT NULL;

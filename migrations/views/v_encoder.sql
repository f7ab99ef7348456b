-- An index alone counts the vectors of an encoder. Those of tracks that are not usable are few, and
-- are subtracted. Without the test for an imported batch, Postgres would read all vectors to find that
-- none was imported.
CREATE OR REPLACE VIEW v_encoder AS
SELECT e.name AS encoder, e.revision, e.dimension, e.wanted,
    s.encoder_id IS NOT NULL AS serving,
    e.spec ->> 'checkpoint' AS checkpoint,
    e.spec ->> 'licence_code' AS licence_code,
    e.spec ->> 'licence_weights' AS licence_weights,
    e.spec ->> 'citation' AS citation,
    e.is_random AS random,
    e.created_at,
    ((SELECT count(*) FROM embedding v WHERE v.encoder_id = e.encoder_id)
     - (SELECT count(*) FROM track t JOIN embedding v
            ON v.encoder_id = e.encoder_id AND v.track_id = t.track_id
        WHERE t.state IN ('rejected', 'gone')))::double precision
    / nullif((SELECT count(*) FROM track t WHERE t.state = 'ok'), 0) AS coverage,
    CASE WHEN EXISTS (SELECT FROM embedding_batch b WHERE b.is_imported) THEN
        (SELECT count(*) FROM embedding v JOIN embedding_batch b ON b.batch_id = v.batch_id
         WHERE v.encoder_id = e.encoder_id AND b.is_imported)
    ELSE 0 END AS imported_n
FROM encoder e
LEFT JOIN serving_revision s ON s.encoder_id = e.encoder_id;

COMMENT ON VIEW v_encoder IS 'Encoder revisions, with their licences and whether each revision is configured or active.';
COMMENT ON COLUMN v_encoder.serving IS 'true for the active revision, whose matches are shown.';
COMMENT ON COLUMN v_encoder.licence_code IS 'Licence of the program that runs the model.';
COMMENT ON COLUMN v_encoder.citation IS 'Publication to cite.';
COMMENT ON COLUMN v_encoder.coverage IS 'Share of the usable tracks that have a vector, from 0 to 1. NULL if there are no usable tracks.';
COMMENT ON COLUMN v_encoder.imported_n IS 'Number of vectors that were imported from a file. mirpipe did not compute them, and cannot check how they were computed.';

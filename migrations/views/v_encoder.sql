CREATE OR REPLACE VIEW v_encoder AS
SELECT e.name AS encoder, e.revision, e.dimension, e.wanted,
    s.encoder_id IS NOT NULL AS serving,
    e.spec ->> 'checkpoint' AS checkpoint,
    e.spec ->> 'licence_code' AS licence_code,
    e.spec ->> 'licence_weights' AS licence_weights,
    e.spec ->> 'citation' AS citation,
    e.is_random AS random,
    e.created_at
FROM encoder e
LEFT JOIN serving_revision s ON s.encoder_id = e.encoder_id;

COMMENT ON VIEW v_encoder IS 'Encoder revisions, with their licences and whether each revision is configured or active.';
COMMENT ON COLUMN v_encoder.serving IS 'true for the active revision, whose matches are shown.';
COMMENT ON COLUMN v_encoder.licence_code IS 'Licence of the program that runs the model.';
COMMENT ON COLUMN v_encoder.citation IS 'Publication to cite.';

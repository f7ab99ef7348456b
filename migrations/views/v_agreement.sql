CREATE OR REPLACE VIEW v_agreement AS
SELECT e.name AS encoder, o.name AS other, s.rbo, s.top1, s.n,
    e.revision, o.revision AS other_revision,
    concat_ws('; ', e.spec ->> 'licence_weights',
        nullif(o.spec ->> 'licence_weights', e.spec ->> 'licence_weights')) AS licence_weights,
    e.is_random OR o.is_random AS random, s.run_id
FROM run_agreement s
JOIN encoder e USING (encoder_id)
JOIN encoder o ON o.encoder_id = s.other_id
WHERE s.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_agreement IS 'The latest run: how similar two encoders'' matches are when ranked by cosine. Each pair of encoders has two rows, one for each order.';
COMMENT ON COLUMN v_agreement.encoder IS 'Name of the first encoder.';
COMMENT ON COLUMN v_agreement.other IS 'Name of the second encoder.';
COMMENT ON COLUMN v_agreement.revision IS 'Revision of the first encoder.';
COMMENT ON COLUMN v_agreement.other_revision IS 'Revision of the second encoder.';

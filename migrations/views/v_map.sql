CREATE OR REPLACE VIEW v_map AS
SELECT e.name AS encoder, t.title AS track, t.collection, p.x, p.y, t.labels, p.track_id,
    m.spread_x, m.spread_y, m.tracks_n, m.run_id, e.revision,
    e.spec ->> 'licence_weights' AS licence_weights,
    e.is_random AS random
FROM map_point p
JOIN map m USING (run_id, encoder_id)
JOIN encoder e USING (encoder_id)
JOIN track t USING (track_id);

COMMENT ON VIEW v_map IS 'The latest run: track positions on each encoder''s map. The axes of a map are the first two principal components of the references.';
COMMENT ON COLUMN v_map.encoder IS 'Name of the encoder. Positions on the maps of different encoders are not comparable.';

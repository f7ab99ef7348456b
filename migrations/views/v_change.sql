CREATE OR REPLACE VIEW v_change AS
SELECT c.run_id, n.finished_at, c.encoder_name AS encoder, t.title AS target,
    coalesce(l.title, p.title) AS previous, r.title AS reference, c.cause,
    c.target_id, c.previous_reference_id AS previous_id, c.reference_id,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.is_random, false) AS random
FROM neighbour_change c
JOIN run n ON n.run_id = c.run_id
JOIN track t ON t.track_id = c.target_id
LEFT JOIN track p ON p.track_id = c.previous_reference_id
LEFT JOIN LATERAL (
    SELECT title FROM label_change l
    WHERE c.cause = 'retagged' AND l.track_id = c.previous_reference_id AND l.run_id = c.run_id
    ORDER BY label_change_id LIMIT 1) l ON true
LEFT JOIN track r ON r.track_id = c.reference_id
LEFT JOIN (run_encoder g JOIN encoder e ON e.encoder_id = g.encoder_id)
    ON g.run_id = c.run_id AND e.name = c.encoder_name;

COMMENT ON VIEW v_change IS 'Best matches that changed in each run, or whose title or labels changed, and why.';
COMMENT ON COLUMN v_change.previous IS 'Title of the best match before the run. NULL if there was none. If the cause is retagged, this is the title that the same track had before.';
COMMENT ON COLUMN v_change.reference IS 'Title of the best match from the run onwards. NULL if there is none.';
COMMENT ON COLUMN v_change.previous_id IS 'Best match before the run; key in the table track.';
COMMENT ON COLUMN v_change.reference_id IS 'Best match from the run onwards; key in the table track.';

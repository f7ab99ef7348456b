CREATE OR REPLACE VIEW active_captioner AS
SELECT coalesce(s.captioner_id, c.captioner_id) AS captioner_id
FROM captioner c LEFT JOIN serving_captioner s ON s.name = c.name
WHERE c.wanted;

COMMENT ON VIEW active_captioner IS 'Active revision of the configured captioner, or the configured one if none is active. Its captions and the clips from them enter the results.';
COMMENT ON COLUMN active_captioner.captioner_id IS 'Active revision; key in the table captioner.';

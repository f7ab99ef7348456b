CREATE OR REPLACE VIEW pending_caption_embedding AS
SELECT e.encoder_id, e.name, e.revision, c.caption_id
FROM metric p
JOIN encoder e ON e.name = p.spec ->> 'encoder' AND e.revision = p.spec ->> 'encoder_revision' AND e.wanted
CROSS JOIN caption c
JOIN captioner k ON k.captioner_id = c.captioner_id
    AND (k.wanted OR k.captioner_id IN (SELECT a.captioner_id FROM active_captioner a))
JOIN track t ON t.track_id = c.track_id AND t.state = 'ok'
WHERE p.wanted AND p.spec ->> 'compares' = 'caption'
  AND NOT EXISTS (
    SELECT FROM caption_embedding v WHERE v.encoder_id = e.encoder_id AND v.caption_id = c.caption_id);

COMMENT ON VIEW pending_caption_embedding IS 'Captions from the configured and the active revision of the captioner that have no vector from an encoder that a text score uses.';
